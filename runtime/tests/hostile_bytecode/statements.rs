//! Statements: they leave the operand stack as they found it.

use super::*;

impl Writer<'_> {
    pub(super) fn statement(&mut self) {
        if self.budget == 0 {
            return;
        }
        self.budget -= 1;
        match self.random.below(21) {
            0 => {
                self.expression(3);
                self.op(Op::Pop {});
            }
            1 | 2 => {
                self.expression(3);
                let slot = self.slot();
                self.op(Op::StoreLocal { slot });
            }
            3 => {
                self.expression(2);
                let slot = self.cell();
                self.op(Op::StoreCell { slot });
            }
            4 => {
                self.expression(2);
                let global = self.random.below(2) as u32;
                self.op(Op::StoreGlobal { global });
            }
            5 => {
                let (var, operator) = (self.var(), self.operator());
                self.expression(2);
                self.op(Op::Update { var, operator });
            }
            6 | 7 => self.store_in_path(),
            8 | 9 => self.mutate(),
            10 => self.conditional(),
            11 | 12 => self.counted_loop(),
            13 => self.loop_over_value(),
            14 => self.leave(),
            15 => self.unwrap(),
            16 => self.op(Op::Import { module: 0 }),
            // Most of what is written raises; without handlers little would run.
            _ => self.protected(),
        }
    }

    fn store_in_path(&mut self) {
        let path = self.path();
        let indexes = path.indexes();
        match self.random.below(3) {
            0 => {
                self.expressions(indexes + 1, 1);
                let path = self.add_path(path);
                self.op(Op::StorePath { path });
            }
            1 => {
                let operator = self.operator();
                self.expressions(indexes + 1, 1);
                let path = self.add_path(path);
                self.op(Op::UpdatePath { path, operator });
            }
            _ => {
                self.expressions(indexes, 1);
                let path = self.add_path(path);
                self.op(Op::ReadPath { path });
                self.op(Op::StorePathUnder { path });
            }
        }
    }

    fn mutate(&mut self) {
        let place = self.path();
        let early = self.random.one_in(2);
        let indexes = place.indexes();
        if early {
            self.expression(1);
        }
        self.expressions(indexes, 1);
        let index = self.random.below(6);
        let argc = BUILTINS[index].1 - 1;
        self.expressions(argc, 1);
        self.builder.program.builtin_sites.push(BuiltinSite {
            builtin: index as u32,
            place,
            argc,
            early,
        });
        let site = self.builder.program.builtin_sites.len() as u32 - 1;
        self.op(Op::Mutate { site });
    }

    fn conditional(&mut self) {
        self.expression(2);
        let skip = self.jump(Op::JumpIfFalse { to: 0 });
        self.statements(2);
        if self.random.one_in(2) {
            let end = self.jump(Op::Jump { to: 0 });
            self.land(skip);
            self.statements(2);
            self.land(end);
        } else {
            self.land(skip);
        }
    }

    fn loop_head(&mut self) -> u32 {
        self.code(|code| code.loop_head())
    }

    fn hidden(&mut self, count: u32) -> u32 {
        let first = self.body.next_hidden;
        self.body.next_hidden += count;
        let slots = &mut self.builder.program.functions[self.func as usize].slots;
        *slots = (*slots).max(self.body.next_hidden);
        first
    }

    fn counted_loop(&mut self) {
        let slot = self.hidden(3);
        let times = self.random.below(5) as i32;
        self.op(Op::Int { value: times });
        self.op(Op::RangeStart { slot, argc: 1 });
        self.loop_body(Op::RangeNext { slot, to: 0 });
        self.body.next_hidden = slot;
    }

    fn loop_over_value(&mut self) {
        let slot = self.hidden(2);
        self.expression(2);
        self.op(Op::IterStart { slot });
        self.loop_body(Op::IterNext { slot, to: 0 });
        self.op(Op::ClearLocal { slot });
        self.body.next_hidden = slot;
    }

    fn loop_body(&mut self, next: Op) {
        let head = self.loop_head();
        let done = self.jump(next);
        let slot = self.slot();
        self.op(Op::StoreLocal { slot });
        self.statements(2);
        self.op(Op::Jump { to: head });
        self.land(done);
    }

    fn protected(&mut self) {
        // Handlers inside come first in the table.
        let start = self.here();
        self.statements(2);
        self.expression(2);
        self.op(Op::Pop {});
        let end = self.here();
        let past = self.jump(Op::Jump { to: 0 });
        let target = self.here();
        self.op(Op::Catch {});
        let slot = self.slot();
        self.op(Op::StoreLocal { slot });
        self.statements(1);
        self.land(past);
        self.code(|code| {
            code.handler(Handler {
                start,
                end,
                target,
                depth: 0,
            })
        });
    }

    /// Throws or returns, sometimes.
    fn leave(&mut self) {
        self.expression(1);
        let skip = self.jump(Op::JumpIfTrue { to: 0 });
        if self.random.one_in(2) {
            self.expression(1);
            self.op(Op::Throw {});
        } else {
            self.finish();
        }
        self.land(skip);
    }

    /// `e?` where no operands are pending, since `Return` leaves them behind.
    fn unwrap(&mut self) {
        self.expression(2);
        let go_on = self.jump(Op::JumpIfUnwrapped { to: 0 });
        if self.body.changes_self {
            self.op(Op::LoadLocal { slot: 0 });
            self.op(Op::StoreSelfResult {});
        }
        self.op(Op::Return {});
        self.land(go_on);
        self.op(Op::Pop {});
    }
}

//! Expressions: each adds one operand.

use super::*;

impl Writer<'_> {
    pub(super) fn expression(&mut self, depth: u32) {
        if depth == 0 || self.budget == 0 {
            return self.leaf();
        }
        self.budget -= 1;
        match self.random.below(18) {
            0..=3 => self.leaf(),
            4 | 5 => self.operation(depth - 1),
            6 => {
                let count = self.random.below(4) as u32;
                self.expressions(count, depth - 1);
                self.op(Op::MakeArray { count });
                if self.random.one_in(3) {
                    self.expression(depth - 1);
                    let op = *self.random.pick(&[Op::ArrayPush {}, Op::ArrayExtend {}]);
                    self.op(op);
                }
            }
            7 => self.dict(depth - 1),
            8 => self.structure(depth - 1),
            9 => {
                let (site, count) = (self.random.below(4) as u32, self.random.below(3) as u32);
                self.expressions(count, depth - 1);
                self.op(Op::MakeVariant { site, count });
            }
            10 => {
                let index = self.random.below(BUILTINS.len());
                let argc = BUILTINS[index].1;
                self.expressions(argc, depth - 1);
                self.op(Op::CallBuiltin {
                    builtin: index as u32,
                    argc,
                });
            }
            11 => {
                self.expressions(2, depth - 1);
                self.op(Op::CallFunction {
                    func: self.world.plain,
                    argc: 2,
                });
            }
            12 => {
                let argc = self.random.below(3) as u32;
                self.expressions(argc + 1, depth - 1);
                self.op(Op::Call { argc });
            }
            13 => self.method_call(depth - 1),
            14 => self.short_circuit(depth - 1),
            15 => self.test(depth - 1),
            16 => {
                self.expressions(2, depth - 1);
                self.op(Op::Index {});
            }
            _ => {
                let count = self.random.below(4) as u32;
                self.expressions(count, depth - 1);
                self.op(Op::Interpolate { count });
            }
        }
    }

    fn leaf(&mut self) {
        let op = match self.random.below(14) {
            0 => Op::Null {},
            1 => *self.random.pick(&[Op::True {}, Op::False {}]),
            2 => Op::Int {
                value: self.random.below(7) as i32 - 2,
            },
            3 | 4 => Op::Constant {
                index: self.random.below(self.world.constants as usize) as u32,
            },
            5 => Op::Function {
                func: self.world.plain,
            },
            6 => Op::Builtin {
                builtin: self.random.below(BUILTINS.len()) as u32,
            },
            7 => Op::LoadCell { slot: self.cell() },
            8 => Op::LoadGlobal {
                global: self.random.below(2) as u32,
            },
            9 => match self.body.captures {
                Some(Capture::Cell(_)) => Op::LoadCaptureCell { index: 0 },
                Some(_) => *self
                    .random
                    .pick(&[Op::LoadCapture { index: 0 }, Op::Callee {}]),
                None => Op::MakeClosure {
                    func: self.world.by_cell,
                },
            },
            10 if self.body.captures.is_none() => Op::MakeClosure {
                func: self.world.by_value,
            },
            _ => Op::LoadLocal { slot: self.slot() },
        };
        self.op(op);
    }

    fn operation(&mut self, depth: u32) {
        const BINARY: [Op; 12] = [
            Op::Add {},
            Op::Subtract {},
            Op::Multiply {},
            Op::Divide {},
            Op::Remainder {},
            Op::Equal {},
            Op::NotEqual {},
            Op::Less {},
            Op::LessEqual {},
            Op::Greater {},
            Op::GreaterEqual {},
            Op::SameValue {},
        ];
        const UNARY: [Op; 4] = [Op::Negate {}, Op::Not {}, Op::Truthy {}, Op::Falsy {}];
        self.expression(depth);
        if self.random.one_in(5) {
            let op = *self.random.pick(&UNARY);
            self.op(op);
        } else {
            self.expression(depth);
            let op = *self.random.pick(&BINARY);
            self.op(op);
        }
    }

    fn dict(&mut self, depth: u32) {
        let count = self.random.below(3) as u32;
        self.expressions(count * 2, depth);
        self.op(Op::MakeDict { count });
        if self.random.one_in(3) {
            self.expressions(2, depth);
            self.op(Op::DictInsert {});
            self.expression(depth);
            self.op(Op::DictExtend {});
        }
    }

    fn structure(&mut self, depth: u32) {
        let site = self.random.below(3);
        let pops = self.builder.program.struct_sites[site].fields.len() as u32;
        if self.builder.program.struct_sites[site].has_def {
            self.world.methods.iter().for_each(|func| {
                self.builder
                    .code(self.func)
                    .op(Op::Function { func: *func });
            });
            self.op(Op::MakeStructDef { declaration: 0 });
        }
        self.expressions(pops, depth);
        self.op(Op::MakeStruct { site: site as u32 });
    }

    fn method_call(&mut self, depth: u32) {
        let name: &str = METHODS[self.random.below(METHODS.len())];
        let name = self.builder.name(name);
        let place = self.random.one_in(2).then(|| self.path());
        let early = place.is_some() && self.random.one_in(2);
        if place.is_none() || early {
            self.expression(depth);
        }
        let indexes = place.as_ref().map_or(0, Path::indexes);
        let args = vec![ArgKind::One; self.random.below(3)];
        self.expressions(indexes + args.len() as u32, depth);
        // Not taken: a handler would find the local unset.
        let site = MethodSite {
            name,
            args,
            place,
            early,
            take: false,
            immutable: None,
        };
        self.builder.program.method_sites.push(site);
        let site = self.builder.program.method_sites.len() as u32 - 1;
        self.op(Op::CallMethod { site });
    }

    fn short_circuit(&mut self, depth: u32) {
        self.expression(depth);
        match self.random.below(2) {
            0 => {
                let end = self.jump(Op::JumpIfNotNull { to: 0 });
                self.expression(depth);
                self.land(end);
            }
            _ => {
                let end = self.jump(Op::JumpIfNull { to: 0 });
                let name = *self.random.pick(&self.world.fields);
                self.op(Op::OptionalField { name });
                self.land(end);
            }
        }
    }

    fn test(&mut self, depth: u32) {
        self.expression(depth);
        let name = *self.random.pick(&self.world.fields);
        let small = self.random.below(3) as u32;
        let op = match self.random.below(11) {
            0 => Op::Field { name },
            1 => Op::FieldOrNull { name },
            2 => Op::ElementOrNull { index: small },
            3 => Op::ArrayRest { from: small },
            4 => Op::DictRest { list: small % 2 },
            5 => Op::TestArray { len: small },
            6 => Op::TestArrayMin { len: small },
            7 => Op::TestVariant { site: small },
            8 => Op::TestName { name },
            9 => Op::TestField { name },
            _ => Op::VariantPayload {
                site: small,
                index: small,
            },
        };
        self.op(op);
    }
}

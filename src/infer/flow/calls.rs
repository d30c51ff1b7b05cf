//! Calls of built-ins and methods.

use super::Flow;
use crate::infer::callback::{Callback, callback_of_call};
use crate::infer::state::Point;
use crate::infer::{Tags, Type, builtins};
use ruff_runtime::bytecode::{ArgKind, BuiltinSite, Op};

impl Flow<'_, '_> {
    /// A call of a built-in that calls a known function for an array's elements.
    pub(super) fn call_back(&mut self, callback: Callback, args: &[Type]) -> Type {
        let known = self.analysis.call_result(callback.func);
        let gets = callback.arguments(args, known);
        let gives = self.call(callback.func, &gets);
        callback.result(args, gives)
    }

    /// The known function that the call of a built-in at `pc` is given.
    pub(super) fn callback(&self, pc: u32) -> Option<Callback> {
        let program = self.analysis.program;
        let function = &program.functions[self.func as usize];
        callback_of_call(program, function, pc).filter(|_| !self.joined.contains_key(&pc))
    }

    /// Whether the function that is made at `pc` goes to a built-in that calls
    /// it for an array's elements, and nowhere else.
    pub(super) fn is_called_back(&mut self, pc: u32) -> bool {
        let Some(callback) = self.callback(pc + 1) else {
            return false;
        };
        let program = self.analysis.program;
        let array = match program.functions[self.func as usize].code[pc as usize + 1] {
            Op::CallMethod { site }
                if let Some(place) = &program.method_sites[site as usize].place =>
            {
                let site = &program.method_sites[site as usize];
                let mut receiver = self.path_type(place);
                if site.early {
                    // Below the indexes and the arguments, of which the function is
                    // still to come.
                    let pops = site.pops(program) as usize - 1;
                    receiver.join(self.stack[self.stack.len() - pops]);
                }
                receiver
            }
            _ => self.stack[self.stack.len() - callback.array_below()],
        };
        // What can't be anything yet may still turn out to be an array.
        array.is_none() || array.is(Tags::ARRAY)
    }

    pub(super) fn mutate(&mut self, site: &BuiltinSite) {
        let program = self.analysis.program;
        let args = self.pop_many(site.argc as usize);
        self.pop_many(site.place.indexes() as usize);
        let mut target = self.path_type(&site.place);
        if site.early {
            target.join(self.pop());
        }
        let mut all = vec![target];
        all.extend(args);
        self.hands_to_builtin(&program.builtins[site.builtin as usize], &all);
        let result = builtins::result_of_builtin(&program.builtins[site.builtin as usize], &all);
        self.join_path(&site.place, result);
    }

    pub(super) fn method_site(&mut self, pc: u32, site: u32) {
        let program = self.analysis.program;
        let site = &program.method_sites[site as usize];
        let args = self.pop_many(site.args.len());
        self.pop_many(
            site.place
                .as_ref()
                .map_or(0, |place| place.indexes() as usize),
        );
        let mut receiver = site
            .place
            .as_ref()
            .map_or(Type::NONE, |place| self.path_type(place));
        if site.place.is_none() || site.early {
            receiver.join(self.pop());
        }
        if let Some(callback) = self.callback(pc)
            && receiver.is(Tags::ARRAY)
        {
            let operands = [&[receiver], &args[..]].concat();
            let result = self.call_back(callback, &operands);
            return self.push(result);
        }
        let plain = site.args.iter().all(|arg| *arg == ArgKind::One);
        self.call_what_is_held(site, receiver, &args, plain);
        let result = self.call_method(site, receiver, plain.then_some(&args[..]));
        let is_pop = &*program.names[site.name as usize] == "pop" && args.is_empty();
        let place = site.place.as_ref().filter(|_| is_pop && !site.early);
        let is_filled =
            receiver.is(Tags::ARRAY) && place.is_some_and(|place| self.state.is_filled(place));
        self.note(
            pc,
            Point {
                excluded: Tags::EMPTY,
                is_filled,
            },
        );
        self.push(match is_filled {
            true => receiver.contents(),
            false => result,
        });
    }
}

//! A loaded program that can be run again and again.

use super::{Error, Value};
use ruff_runtime::call;
use ruff_runtime::context::VMContext;
use ruff_runtime::heap::Function;
use ruff_runtime::value;

/// A loaded program.  Its variables, and the code that was compiled, stay from
/// one run to the next.
pub struct Session<'a> {
    ctx: &'a mut VMContext,
}

impl<'a> Session<'a> {
    pub(super) fn new(ctx: &'a mut VMContext) -> Session<'a> {
        Session { ctx }
    }

    /// Runs the top level; gives what it returns.
    ///
    /// # Errors
    /// If the program raises an error that it does not catch, or ends itself.
    pub fn execute(&mut self) -> Result<Value, Error> {
        let result = self.run()?;
        self.ctx.output.flush();
        Ok(Value::copied(&result))
    }

    /// Runs the top level for an int.
    ///
    /// # Errors
    /// As `execute`.
    ///
    /// # Panics
    /// If the result is not an int.
    pub fn execute_int(&mut self) -> Result<i64, Error> {
        Ok(self.run()?.as_int().expect("the program returns an int"))
    }

    fn run(&mut self) -> Result<value::Value, Error> {
        let main = self.ctx.program.program.main as usize;
        let function = self.ctx.program.functions[main].to_ref::<Function>();
        let function = function.expect("a top level captures nothing, so it has a function object");
        let trace = self.ctx.trace_base;
        call::enter(self.ctx, trace, &function, &mut []).map_err(|_| {
            self.ctx.output.flush();
            Error::stopped(self.ctx)
        })
    }
}

//! A loaded program that can be run again and again.

use super::{Error, Value};
use ruff_runtime::bytecode::FunctionId;
use ruff_runtime::call;
use ruff_runtime::context::VMContext;
use ruff_runtime::heap::Function;
use ruff_runtime::start;
use ruff_runtime::value;

/// A loaded program.  Its variables, and the code that was compiled, stay from
/// one run to the next.
pub struct Session<'a> {
    ctx: &'a mut VMContext,
}

/// The values of a program's variables at some moment.
pub struct Variables(Vec<value::Value>);

impl<'a> Session<'a> {
    /// A session of a context that is ready to run.
    pub fn new(ctx: &'a mut VMContext) -> Session<'a> {
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
        self.call(self.ctx.program.program.main)
    }

    /// Calls a function of the kind of a top level: one without parameters
    /// that captures nothing.
    fn call(&mut self, func: FunctionId) -> Result<value::Value, Error> {
        let function = self.ctx.program.functions[func as usize].to_ref::<Function>();
        let function = function.expect("a top level captures nothing, so it has a function object");
        let trace = self.ctx.trace_base;
        call::enter(self.ctx, trace, &function, &mut []).map_err(|_| {
            self.ctx.output.flush();
            Error::stopped(self.ctx)
        })
    }

    /// Runs a test, one of the functions that `lower_with_tests` gives.
    ///
    /// # Errors
    /// Why it failed: it raised an error, or tried to end the program, which
    /// then goes on.
    pub fn test(&mut self, func: FunctionId) -> Result<(), Error> {
        let result = start::guard_output(self.ctx, |ctx| Session { ctx }.call(func).map(drop));
        self.ctx.exit_status = None;
        result
    }

    /// What the program's variables hold.
    pub fn variables(&mut self) -> Variables {
        Variables(self.ctx.global_values().to_vec())
    }

    /// Gives the program's variables the values that they had.  What values
    /// refer to (a generator, a captured variable) stays as it is now.
    pub fn restore(&mut self, variables: &Variables) {
        self.ctx.global_values().clone_from_slice(&variables.0);
    }
}

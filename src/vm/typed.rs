//! Compiled functions that are called like functions of the host.

use super::{Error, JitOptions, JitStats};
use crate::emit::jit::{self, IntPointer};
use ruff_runtime::bytecode::FunctionId;
use ruff_runtime::context::VMContext;

/// A compiled function from ints to an int, called directly.
///
/// Calls run on the caller's stack, and may nest only as deep as that allows.
pub struct IntFunction<const PARAMETERS: usize> {
    function: jit::IntFunction<PARAMETERS>,
}

impl<const PARAMETERS: usize> IntFunction<PARAMETERS> {
    pub(super) fn compile(
        ctx: Box<VMContext>,
        func: FunctionId,
        options: &JitOptions,
    ) -> Result<Self, Error> {
        Ok(IntFunction {
            function: jit::IntFunction::compile(ctx, func, options)?,
        })
    }

    /// Calls the function.
    ///
    /// # Errors
    /// If it raises an error, or ends the program.
    #[inline]
    pub fn call(&mut self, args: [i64; PARAMETERS]) -> Result<i64, Error> {
        match self.function.call(args) {
            Ok(result) => Ok(result),
            Err(jit::CallRaised) => Err(self.take_error()),
        }
    }

    /// The function as a pointer that fits into registers, for many calls.
    ///
    /// ```
    /// use ruffc::vm::{Chunk, VM};
    ///
    /// let chunk = Chunk::compile("eleven.ruff", "return 5 + 3 * 2")?;
    /// let mut function = VM::new().compile_int_function::<0>(&chunk, chunk.main())?;
    /// let pointer = function.pointer();
    /// let mut sum = 0;
    /// for _ in 0..10_000 {
    ///     match pointer.call([]) {
    ///         Ok(eleven) => sum += eleven,
    ///         Err(_) => return Err(function.take_error()),
    ///     }
    /// }
    /// assert_eq!(sum, 110_000);
    /// # Ok::<(), ruffc::vm::Error>(())
    /// ```
    pub fn pointer(&mut self) -> IntPointer<'_, PARAMETERS> {
        self.function.pointer()
    }

    /// What a call by pointer that failed has raised.
    #[cold]
    pub fn take_error(&mut self) -> Error {
        let ctx = self.function.context();
        ctx.output.flush();
        Error::stopped(ctx)
    }

    /// The address of the machine code: an `extern "C"` function of a context,
    /// a place in its call stack and the ints.
    pub fn address(&self) -> *const u8 {
        self.function.address()
    }

    pub(super) fn stats(&self) -> &JitStats {
        self.function.stats()
    }
}

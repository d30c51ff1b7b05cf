//! The `ruffc` command.

use std::process::ExitCode;

/// Programs that run in this process keep their output when memory runs out.
#[global_allocator]
static MEMORY: ruff_runtime::heap::allocator::CLibrary = ruff_runtime::heap::allocator::CLibrary;

fn main() -> ExitCode {
    ruffc::cli::main()
}

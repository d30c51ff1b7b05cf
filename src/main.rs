//! The `ruffc` command.

use mimalloc::MiMalloc;
use ruff_runtime::heap::allocator::NeverNull;
use std::process::ExitCode;

/// The compiler makes and drops many small blocks, in several threads.  Programs that run
/// in this process keep their output when memory runs out.
#[global_allocator]
static MEMORY: NeverNull<MiMalloc> = NeverNull(MiMalloc);

fn main() -> ExitCode {
    ruffc::cli::main()
}

//! The `ruffc` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    ruffc::cli::main()
}

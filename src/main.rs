//! The thin binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    lenscast::start::from_command_line()
}

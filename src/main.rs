//! The thin binary: reads the command line and starts the window, the headless host, or the list.

use std::io;
use std::process::ExitCode;

use lenscast::cli::{Cli, Command, print_list};
use lenscast::engine;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = Cli::from_command_line();
    start_log(cli.verbose);
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        // `lenscast list | head` closes the pipe; that is no failure.
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lenscast: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Some(Command::Serve(args)) => engine::serve(args.to_settings()?, &mut io::stdout()),
        Some(Command::List { json }) => Ok(print_list(json, &mut io::stdout().lock())?),
        None => lenscast::app::run_with_engine(),
    }
}

fn start_log(verbose: u8) {
    let level = match verbose {
        // What other crates warn of is about themselves and means nothing to who shares a screen.
        0 => "error,lenscast=warn",
        1 => "warn,lenscast=info",
        _ => "info,lenscast=debug",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

//! From the command line to the end of the program: what the thin binary does, and any program that adds filters of its
//! own before; see `examples/custom_filter.rs`.

use std::io;
use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

use crate::cli::{Cli, Command, explain, print_list, print_log, token};
use crate::extend::{self, Programs};
use crate::input::{self, guard};
use crate::settings::file;
use crate::{app, engine};

/// Reads the command line and runs the window, the headless host, or the list. Filters of one's own have to be
/// registered before.
pub fn from_command_line() -> ExitCode {
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
    if matches!(cli.command, Some(Command::Guard)) {
        return Ok(guard::stand_guard(io::stdin().lock(), || input::desktop(None))?);
    }
    match std::env::current_exe() {
        Ok(program) => guard::use_program(program),
        Err(error) => tracing::warn!("nobody would let go what is held if this program died: {error}"),
    }
    // Before any chain is read, because chains hold their filters. Programs end when everything else has.
    extend::register_built_in()?;
    let folder = file::folder().map(|folder| folder.join("filters"));
    let (_programs, complaints) = Programs::start(&cli.filter_programs, folder.as_deref())?;
    let complaints: Vec<String> = complaints.iter().map(ToString::to_string).collect();
    for complaint in &complaints {
        tracing::warn!("{complaint}");
    }
    match cli.command {
        Some(Command::Serve(args)) => engine::serve(args.to_settings()?, args.greeting(), &mut io::stdout()),
        Some(Command::Token { action }) => token(&action, &mut io::stdout().lock()),
        Some(Command::Log) => Ok(print_log(&mut io::stdout().lock())?),
        Some(Command::Explain(args)) => explain(&args, &mut io::stdout().lock()),
        Some(Command::List { json }) => Ok(print_list(json, &mut io::stdout().lock())?),
        // Answered above.
        Some(Command::Guard) => Ok(()),
        None => app::run_with_engine(complaints),
    }
}

fn start_log(verbose: u8) {
    // The network crates warn of what other people's clients do, which nobody here can mend.
    const QUIET: &str = "rtc=error,rtc_dtls=error,rtc_ice=error,rtc_sctp=error,webrtc=error,winit=error,\
                         egui_system_font_provider=error";
    let level = match verbose {
        0 => format!("warn,{QUIET}"),
        1 => format!("warn,{QUIET},lenscast=info"),
        _ => "info,lenscast=debug".to_owned(),
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

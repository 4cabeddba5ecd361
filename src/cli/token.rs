//! Long-lived tokens and the log on the command line; a running program notices what is changed here.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;

use super::args::TokenAction;
use crate::engine::{KeyFile, Roles, log_path, new_key, read_log};
use crate::settings::file;

/// Carries out `lenscast token`.
///
/// # Errors
/// When the file of the tokens can't be read or written, or does not take this change.
pub fn token(action: &TokenAction, output: &mut impl Write) -> anyhow::Result<()> {
    let keys = KeyFile::inside(&folder()?);
    match action {
        TokenAction::Add { name, roles, origins } => {
            let roles: Roles = roles.iter().copied().collect();
            let (key, secret) = new_key(name, roles)?;
            keys.edit(|keys| keys.add_token(key, origins))?;
            writeln!(output, "{secret}")?;
            eprintln!(
                "This is the token for “{name}” ({roles}). It is not shown again; `lenscast token remove` ends it."
            );
        }
        TokenAction::List => {
            let keys = keys.read()?;
            for key in &keys.tokens {
                let pages =
                    if key.origins.is_empty() { String::new() } else { format!(", in {}", key.origins.join(" ")) };
                writeln!(output, "{}: {}, made {}{pages}", key.name, key.roles, key.made)?;
            }
            for key in &keys.devices {
                writeln!(output, "{} (remembered device): {}, since {}", key.name, key.roles, key.made)?;
            }
        }
        TokenAction::Remove { name } => drop(keys.edit(|keys| keys.remove_token(name))?),
    }
    Ok(())
}

/// Prints the log of who was let in.
///
/// # Errors
/// When it can't be read, or the output is closed.
pub fn print_log(output: &mut impl Write) -> anyhow::Result<()> {
    let path = log_path(&folder()?);
    let text = read_log(&path).with_context(|| format!("{} can't be read", path.display()))?;
    output.write_all(text.as_bytes())?;
    Ok(())
}

fn folder() -> anyhow::Result<PathBuf> {
    file::folder().context("this system names no folder for configuration; set LENSCAST_CONFIG_DIR")
}

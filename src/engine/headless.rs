//! The engine without a window: shares at once, says where, asks on the terminal about who wants in, and ends on Ctrl-C
//! or SIGTERM.

use std::io::{BufRead, Write};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::sync::mpsc;

use super::signals::ended;
use super::status::{ShareState, Status};
use super::{Command, Engine, Event, Handle};
use crate::publish::{Role, Roles, Verdict};
use crate::settings::{Entry, Settings, Share, file};
use crate::util::spawn_named;

/// How long the publisher may take to start.
const STARTING: Duration = Duration::from_secs(10);
/// Lines that were typed and not read yet.
const MOST_LINES: usize = 16;

/// What of getting in is printed at the start, beside the links.
#[derive(Debug, Clone, Copy, Default)]
pub struct Greeting {
    /// A one-time link, also where a standing one is in use.
    pub invite: bool,
    /// The eight-digit code, likewise.
    pub code: bool,
}

/// Shares with these settings until the program is asked to end; writes where to watch to `output`.
///
/// # Errors
/// When the port can't be used, or the system gives no threads or random numbers.
pub fn serve(mut settings: Settings, greeting: Greeting, output: &mut impl Write) -> anyhow::Result<()> {
    settings.share.on = true;
    // Before the first thread starts, so that none of them is ended by a signal that this one waits for.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let ended = {
        let _inside = runtime.enter();
        ended()?
    };
    let engine = Engine::start(settings, None, file::folder())?;
    let result = runtime.block_on(share_until(&engine, greeting, ended, output));
    engine.shutdown();
    result
}

async fn share_until(
    engine: &Engine,
    greeting: Greeting,
    ended: impl Future<Output = ()>,
    output: &mut impl Write,
) -> anyhow::Result<()> {
    let handle = engine.handle();
    let mut status = handle.status.reader();
    let deadline = Instant::now() + STARTING;
    let share = handle.store.get().share.clone();
    if greeting.invite {
        handle.command(Command::Invite);
    }
    if greeting.code {
        handle.command(Command::RenewCode);
    }
    let invited = share.entry != Entry::Link;
    loop {
        let now = status.get();
        let ready = (!(invited || greeting.invite) || now.door.invitation.is_some())
            && (!(invited || greeting.code) || now.door.code.is_some())
            && !now.door.fingerprint.is_empty();
        match &now.share {
            // The certificate may be missing for good; the links are not.
            ShareState::On { .. } if ready || Instant::now() > deadline => {
                tell_where(&now, &share, greeting, output).context("the links could not be printed")?;
                break;
            }
            ShareState::Failed(reason) => bail!("{reason}"),
            ShareState::Off if Instant::now() > deadline => bail!("sharing did not start; see the messages above"),
            ShareState::On { .. } | ShareState::Off => {
                let _ = tokio::time::timeout(Duration::from_millis(200), status.changed()).await;
            }
        }
    }
    tokio::pin!(ended);
    let mut typed = typed_lines();
    let mut desk = Desk::default();
    let mut tick = tokio::time::interval(Duration::from_millis(200));
    loop {
        tokio::select! {
            () = &mut ended => break,
            Some(line) = typed.recv() => {
                let answer = desk.on_line(&line, &handle, &status.get());
                write_line(output, &answer)?;
            }
            _ = tick.tick() => {
                for event in handle.take_events() {
                    match event {
                        Event::Info(text) => tracing::info!("{text}"),
                        Event::Warning(text) => tracing::warn!("{text}"),
                        Event::Error(text) => tracing::error!("{text}"),
                    }
                }
                let asked = desk.on_status(&status.get());
                write_line(output, &asked)?;
            }
        }
    }
    tracing::info!("ending");
    Ok(())
}

/// What is typed, line by line, read on a thread because it can't be waited for otherwise. The thread ends with the
/// program.
fn typed_lines() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(MOST_LINES);
    spawn_named("terminal", move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
        // Kept until the program ends: a closed channel would be ready all the time.
        std::mem::forget(sender);
    });
    lines
}

/// Whom the person at the terminal was asked about.
#[derive(Debug, Default)]
struct Desk {
    asked: Option<u64>,
    /// A new link or code was asked for, to be printed when it is there.
    shows_invitation: bool,
}

impl Desk {
    /// What to print, if anything.
    fn on_status(&mut self, status: &Status) -> String {
        let door = &status.door;
        if self.shows_invitation {
            self.shows_invitation = false;
            return invitation_text(status);
        }
        let Some(prompt) = &door.prompt else {
            let gone = self.asked.take().is_some();
            return if gone { "That request has ended.".to_owned() } else { String::new() };
        };
        if self.asked == Some(prompt.id) {
            return String::new();
        }
        self.asked = Some(prompt.id);
        let visitor = &prompt.visitor;
        format!(
            "{} ({}, {}) asks to come in: {}. y lets watch, c lets click, n refuses ({} s):",
            visitor.name,
            visitor.browser.as_deref().unwrap_or("unknown program"),
            visitor.address,
            prompt.wished,
            prompt.seconds_left
        )
    }

    fn on_line(&mut self, line: &str, handle: &Handle, status: &Status) -> String {
        let typed = line.trim().to_ascii_lowercase();
        // `yr` and `cr` remember the device as well.
        let (word, remember) = match typed.strip_suffix('r') {
            Some(word @ ("y" | "c")) => (word, true),
            _ => (typed.as_str(), false),
        };
        let allow = |roles| Verdict::Allow { roles, remember };
        let verdict = match word {
            "y" | "yes" => allow(Roles::WATCH),
            "c" => allow(Roles::WATCH.with(Role::Click)),
            "n" | "no" => Verdict::Deny,
            "" => {
                self.shows_invitation = true;
                handle.command(Command::Invite);
                return String::new();
            }
            _ => {
                return "y, c and n answer who asks, yr and cr remember the device; Enter alone makes a new link."
                    .to_owned();
            }
        };
        match &status.door.prompt {
            Some(prompt) if self.asked == Some(prompt.id) => {
                self.asked = None;
                handle.command(Command::Answer { request: prompt.id, verdict });
                let clicks = matches!(verdict, Verdict::Allow { roles, .. } if roles.has(Role::Click));
                if clicks && !handle.store.get().share.control {
                    return "Clicking needs --control as well.".to_owned();
                }
                String::new()
            }
            _ => "Nobody asks at the moment.".to_owned(),
        }
    }
}

fn write_line(output: &mut impl Write, text: &str) -> std::io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    writeln!(output, "{text}")?;
    output.flush()
}

fn invitation_text(status: &Status) -> String {
    let ShareState::On { links, .. } = &status.share else { return String::new() };
    let base = links.first().and_then(|link| link.rsplit_once('/')).map(|(base, _)| base).unwrap_or_default();
    let mut lines = Vec::new();
    if let Some((token, seconds)) = &status.door.invitation {
        lines.push(format!("One-time link, for {seconds} s: {base}/#t={token}"));
    }
    if let Some((code, seconds)) = &status.door.code {
        lines.push(format!("Code, for {seconds} s: {} {}, typed into {base}/", &code[..4], &code[4..]));
    }
    lines.join("\n")
}

fn tell_where(status: &Status, share: &Share, greeting: Greeting, output: &mut impl Write) -> std::io::Result<()> {
    let ShareState::On { links, .. } = &status.share else { return Ok(()) };
    writeln!(output, "Sharing. Open one of these in a browser:")?;
    for link in links {
        writeln!(output, "  {link}")?;
    }
    let base = links.first().and_then(|link| link.rsplit_once('/')).map(|(base, _)| base).unwrap_or_default();
    let bare = base.trim_start_matches("http://");
    if share.entry == Entry::Link {
        writeln!(output, "MJPEG for other programs: http://any:{}@{bare}/stream", share.secret)?;
    }
    if share.entry != Entry::Link || greeting.invite || greeting.code {
        writeln!(output, "{}", invitation_text(status))?;
        writeln!(output, "Press Enter for a new link.")?;
    }
    if !status.door.fingerprint.is_empty() {
        writeln!(
            output,
            "The same port speaks HTTPS: https://{bare}/, certificate SHA-256 {}",
            status.door.fingerprint
        )?;
    }
    if share.control {
        let who = if share.entry == Entry::Link { "Whoever has a link" } else { "Whoever you let click" };
        writeln!(output, "{who} can use this computer's pointer.")?;
    }
    writeln!(output, "Press Ctrl-C to end.")?;
    output.flush()
}

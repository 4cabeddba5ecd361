//! The engine without a window: shares at once, says where, and ends on Ctrl-C or SIGTERM.

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::signals::ended;
use super::status::ShareState;
use super::{Engine, Event};
use crate::settings::Settings;

/// How long the publisher may take to start.
const STARTING: Duration = Duration::from_secs(10);

/// Shares with these settings until the program is asked to end; writes where to watch to `output`.
///
/// # Errors
/// When the port can't be used, or the system gives no threads or random numbers.
pub fn serve(mut settings: Settings, output: &mut impl Write) -> anyhow::Result<()> {
    settings.share.on = true;
    // Before the first thread starts, so that none of them is ended by a signal that this one waits for.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let ended = {
        let _inside = runtime.enter();
        ended()?
    };
    let engine = Engine::start(settings, None)?;
    let result = runtime.block_on(share_until(&engine, ended, output));
    engine.shutdown();
    result
}

async fn share_until(engine: &Engine, ended: impl Future<Output = ()>, output: &mut impl Write) -> anyhow::Result<()> {
    let handle = engine.handle();
    let mut status = handle.status.reader();
    let deadline = Instant::now() + STARTING;
    loop {
        match &status.get().share {
            ShareState::On { links, .. } => {
                tell_where(links, handle.store.get().share.control, output)
                    .context("the links could not be printed")?;
                break;
            }
            ShareState::Failed(reason) => bail!("{reason}"),
            ShareState::Off if Instant::now() > deadline => bail!("sharing did not start; see the messages above"),
            ShareState::Off => {
                let _ = tokio::time::timeout(Duration::from_millis(200), status.changed()).await;
            }
        }
    }
    tokio::pin!(ended);
    let mut tick = tokio::time::interval(Duration::from_millis(200));
    loop {
        tokio::select! {
            () = &mut ended => break,
            _ = tick.tick() => {
                for event in handle.take_events() {
                    match event {
                        Event::Info(text) => tracing::info!("{text}"),
                        Event::Warning(text) => tracing::warn!("{text}"),
                        Event::Error(text) => tracing::error!("{text}"),
                    }
                }
            }
        }
    }
    tracing::info!("ending");
    Ok(())
}

fn tell_where(links: &[String], control: bool, output: &mut impl Write) -> std::io::Result<()> {
    writeln!(output, "Sharing. Open one of these in a browser:")?;
    for link in links {
        writeln!(output, "  {link}")?;
    }
    if let Some((base, secret)) = links.first().and_then(|link| link.split_once("/#s=")) {
        let bare = base.trim_start_matches("http://");
        writeln!(output, "MJPEG for other programs: http://any:{secret}@{bare}/stream")?;
    }
    if control {
        writeln!(output, "Whoever has a link can use this computer's pointer.")?;
    }
    writeln!(output, "Press Ctrl-C to end.")?;
    output.flush()
}

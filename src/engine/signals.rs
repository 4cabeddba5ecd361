//! Ctrl-C and SIGTERM: whatever asks the program to end, what is pressed is released and every socket is closed first.

use super::handle::Handle;
use crate::util::spawn_named;

/// Listens on a thread of its own from now on. When the program is asked to end, sharing and control stop at once, also
/// while the window is stuck, and [`Handle::is_ending`] becomes true.
pub fn end_on_signal(handle: Handle) {
    spawn_named("signals", move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let heard = runtime.and_then(|runtime| {
            let ended = {
                let _inside = runtime.enter();
                ended()?
            };
            runtime.block_on(ended);
            Ok(())
        });
        if let Err(error) = heard {
            tracing::warn!("signals can't be heard: {error}; close the window to end");
            return;
        }
        handle.stop_everything();
        handle.ask_to_end();
    });
}

/// Becomes ready on Ctrl-C, and on SIGTERM where there is such a thing.
#[cfg(unix)]
pub fn ended() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
pub fn ended() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

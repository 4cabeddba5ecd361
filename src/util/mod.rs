//! Small pieces every layer uses: values that are always the newest, one-place mailboxes, rates, and named threads.

mod demand;
mod latest;
mod mailbox;
mod own_windows;
mod rate;
mod sentence;
mod thread;
mod whole_file;

pub use demand::{Demand, Ticket};
pub use latest::{Latest, LatestReader};
pub use mailbox::{Closed, Mailbox};
pub use own_windows::{note_own_window, own_windows};
pub use rate::RateMeter;
pub use sentence::sentence;
pub use thread::{Worker, spawn_named};
pub use whole_file::{append_private, write_private, write_whole};

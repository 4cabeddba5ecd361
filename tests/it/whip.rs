//! WHIP from outside: what clients that nobody here wrote publish is shown, what is published arrives elsewhere, and the
//! rules of the requests.

#[cfg(target_os = "linux")]
mod chromium;
pub mod inbound;
pub mod outbound;
pub mod peers;
mod rules;

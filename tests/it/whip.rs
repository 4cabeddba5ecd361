//! WHIP from outside: what clients that nobody here wrote publish is shown, what is published arrives elsewhere, and the
//! rules of the requests.

mod inbound;
mod outbound;
mod peers;
mod rules;

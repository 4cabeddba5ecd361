//! What a link carries, from what its viewer reports, and what follows from it; pure, the wiring is in the `gate`.

#[cfg(test)]
mod bottleneck;
mod estimate;
mod ladder;
mod pacer;
mod policy;
mod trend;

pub use estimate::{Estimator, Fate};
pub use ladder::{Ladder, floors_kbps};
pub use pacer::Pacer;
pub use policy::{Quality, ceiling_kbps};

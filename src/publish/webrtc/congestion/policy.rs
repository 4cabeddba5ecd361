//! Which bitrate an encoder gets from what its viewers' links carry; pure. All viewers of one size share an encoder, which
//! follows the slowest of them, within reason.

/// Below this an encoder only makes mush.
const FLOOR_KBPS: f64 = 150.0;
/// Headers, and what the encoder's rate control gets wrong.
const HEADROOM: f64 = 0.07;
/// More than this is not kept free for packets that have to be sent again.
const MOST_LOSS: f64 = 0.3;
/// A viewer with less than this share of what the best one has skips frames by itself instead of slowing all others.
const LEAST_SHARE: f64 = 0.25;

/// What is known of the way to one viewer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    /// All that may be sent.
    pub kbps: f64,
    /// The share of packets that gets lost.
    pub loss: f64,
    /// Nothing comes back; what it carries is not known.
    pub silent: bool,
}

impl Quality {
    /// What is left for the picture itself.
    pub fn picture_kbps(&self) -> f64 {
        self.kbps * (1.0 - HEADROOM - self.loss.min(MOST_LOSS))
    }
}

/// The most that the encoder for these viewers may produce; `None` when there are none.
pub fn ceiling_kbps(viewers: &[Quality]) -> Option<u32> {
    // Those who are not heard are not waited for, unless there are no others.
    let heard: Vec<&Quality> = viewers.iter().filter(|viewer| !viewer.silent).collect();
    let counted = if heard.is_empty() { viewers.iter().collect() } else { heard };
    let rates = || counted.iter().map(|viewer| viewer.picture_kbps());
    let best = rates().max_by(f64::total_cmp)?;
    let slowest = rates().fold(f64::INFINITY, f64::min);
    Some(slowest.max(best * LEAST_SHARE).max(FLOOR_KBPS).round() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(kbps: f64) -> Quality {
        Quality { kbps, loss: 0.0, silent: false }
    }

    #[test]
    fn the_encoder_follows_the_slowest_viewer_but_not_to_the_ground() {
        assert_eq!(ceiling_kbps(&[]), None);
        assert_eq!(ceiling_kbps(&[link(1_000.0)]), Some(930));
        assert_eq!(ceiling_kbps(&[link(4_000.0), link(2_000.0)]), Some(1_860));
        assert_eq!(ceiling_kbps(&[link(4_000.0), link(200.0)]), Some(930));
        assert_eq!(ceiling_kbps(&[link(50.0)]), Some(150));
    }

    #[test]
    fn who_is_not_heard_slows_nobody_and_losses_leave_room() {
        let silent = Quality { silent: true, ..link(300.0) };
        assert_eq!(ceiling_kbps(&[link(4_000.0), silent]), Some(3_720));
        assert_eq!(ceiling_kbps(&[silent]), Some(279));
        assert_eq!(ceiling_kbps(&[Quality { loss: 0.1, ..link(1_000.0) }]), Some(830));
    }
}

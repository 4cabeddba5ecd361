//! Who guesses has to wait, longer each time: by source address, in a table that can't be made to grow. Pure.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// After the first wrong try; it doubles with each further one.
const FIRST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(3_600);
/// A source that has behaved for so long is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(7_200);
/// Sources that are remembered; the one that was wrong longest ago gives way.
const MOST_SOURCES: usize = 1_024;

/// Which sources were wrong lately.
#[derive(Debug, Default)]
pub struct Backoff {
    sources: HashMap<IpAddr, Source>,
}

#[derive(Debug)]
struct Source {
    wrong: u32,
    at: Instant,
}

impl Backoff {
    /// Whether a source has to wait still.
    pub fn waits(&self, address: IpAddr, now: Instant) -> bool {
        self.sources.get(&network(address)).is_some_and(|source| now < source.at + source.wait())
    }

    /// Notes a wrong try.
    pub fn wrong(&mut self, address: IpAddr, now: Instant) {
        self.sources.retain(|_, source| now.saturating_duration_since(source.at) < FORGOTTEN);
        let address = network(address);
        if self.sources.len() >= MOST_SOURCES && !self.sources.contains_key(&address) {
            let oldest = self.sources.iter().min_by_key(|(_, source)| source.at).map(|(address, _)| *address);
            oldest.and_then(|oldest| self.sources.remove(&oldest));
        }
        let source = self.sources.entry(address).or_insert(Source { wrong: 0, at: now });
        source.wrong = source.wrong.saturating_add(1);
        source.at = now;
    }

    /// Whoever was right need not wait any more.
    pub fn right(&mut self, address: IpAddr) {
        self.sources.remove(&network(address));
    }
}

impl Source {
    fn wait(&self) -> Duration {
        let doubled = FIRST.saturating_mul(1u32.checked_shl(self.wrong.saturating_sub(1)).unwrap_or(u32::MAX));
        doubled.min(LONGEST)
    }
}

/// Whoever has one IPv6 address has all of its /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_wait_begins_with_ten_seconds_and_doubles_up_to_an_hour() {
        let (mut backoff, start, address) = (Backoff::default(), Instant::now(), ip("192.0.2.1"));
        let mut now = start;
        assert!(!backoff.waits(address, now));
        for expected in [10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600, 3_600] {
            backoff.wrong(address, now);
            assert!(backoff.waits(address, now + Duration::from_secs(expected - 1)), "{expected}");
            now += Duration::from_secs(expected);
            assert!(!backoff.waits(address, now), "{expected}");
        }
        assert!(!backoff.waits(ip("192.0.2.2"), start));
        backoff.right(address);
        assert!(!backoff.waits(address, start));
    }

    #[test]
    fn all_of_a_64_waits_together_and_mapped_addresses_are_what_they_map() {
        let (mut backoff, now) = (Backoff::default(), Instant::now());
        backoff.wrong(ip("2001:db8:1:2::5"), now);
        assert!(backoff.waits(ip("2001:db8:1:2:ffff::9"), now));
        assert!(!backoff.waits(ip("2001:db8:1:3::5"), now));
        backoff.wrong(ip("::ffff:192.0.2.1"), now);
        assert!(backoff.waits(ip("192.0.2.1"), now));
    }

    #[test]
    fn the_table_is_bounded_and_forgets_the_oldest() {
        let (mut backoff, start) = (Backoff::default(), Instant::now());
        for number in 0..3_000u32 {
            backoff.wrong(std::net::Ipv4Addr::from_bits(number).into(), start + Duration::from_millis(number.into()));
        }
        assert_eq!(backoff.sources.len(), MOST_SOURCES);
        let now = start + Duration::from_secs(3);
        assert!(backoff.waits(std::net::Ipv4Addr::from_bits(2_999).into(), now));
        assert!(!backoff.waits(std::net::Ipv4Addr::from_bits(0).into(), now));
        backoff.wrong(ip("192.0.2.1"), start + Duration::from_secs(10_000));
        assert_eq!(backoff.sources.len(), 1);
    }
}

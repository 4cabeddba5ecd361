//! Which addresses viewers are told to send to.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use rtc::shared::ifaces::ifaces;

/// More sockets than this for one viewer help nobody: a machine with this many addresses is full of containers.
const MOST_ADDRESSES: usize = 8;

/// The addresses to offer to a viewer when HTTP is bound to `bound`: that one alone, or all of the machine's, this
/// machine's own loopback included, so that a browser beside the host works without any network.
pub fn candidates(bound: IpAddr) -> Vec<SocketAddr> {
    let all = if bound.is_unspecified() { interfaces() } else { Vec::new() };
    choose(bound, &all)
}

/// The addresses of this computer that links name, those that others can reach first: IPv4, because that is what listening
/// to all addresses means.
pub fn local_addresses() -> Vec<IpAddr> {
    candidates(Ipv4Addr::UNSPECIFIED.into()).into_iter().map(|address| address.ip()).filter(IpAddr::is_ipv4).collect()
}

fn choose(bound: IpAddr, interfaces: &[IpAddr]) -> Vec<SocketAddr> {
    if !bound.is_unspecified() {
        return vec![SocketAddr::new(bound, 0)];
    }
    let mut chosen: Vec<IpAddr> = Vec::new();
    for &address in interfaces {
        if !is_link_local(address) && !address.is_unspecified() && !chosen.contains(&address) {
            chosen.push(address);
        }
    }
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    if !chosen.contains(&loopback) {
        chosen.push(loopback);
    }
    // What other machines can reach comes first, IPv4 before IPv6.
    chosen.sort_by_key(|address| (address.is_loopback(), address.is_ipv6()));
    chosen.truncate(MOST_ADDRESSES);
    chosen.into_iter().map(|address| SocketAddr::new(address, 0)).collect()
}

fn interfaces() -> Vec<IpAddr> {
    match ifaces() {
        Ok(interfaces) => interfaces.into_iter().filter_map(|interface| Some(interface.addr?.ip())).collect(),
        Err(error) => {
            tracing::warn!(
                "the network interfaces can't be listed ({error}); only this computer can watch over WebRTC"
            );
            Vec::new()
        }
    }
}

/// Such an address means nothing without the interface it belongs to, which a candidate can't name.
fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("the tests' addresses are addresses")
    }

    #[test]
    fn a_specific_address_is_the_only_one() {
        assert_eq!(candidates(ip("127.0.0.1")), [SocketAddr::new(ip("127.0.0.1"), 0)]);
    }

    #[test]
    fn everything_reachable_and_loopback_are_offered_otherwise() {
        let all = [ip("127.0.0.1"), ip("192.168.1.7"), ip("169.254.0.9"), ip("fe80::1"), ip("fd00::7"), ip("::1")];
        let chosen = |bound| choose(ip(bound), &all).iter().map(ToString::to_string).collect::<Vec<_>>();
        for everywhere in ["0.0.0.0", "::"] {
            assert_eq!(chosen(everywhere), ["192.168.1.7:0", "[fd00::7]:0", "127.0.0.1:0", "[::1]:0"]);
        }
        assert_eq!(choose(ip("0.0.0.0"), &[]), [SocketAddr::new(ip("127.0.0.1"), 0)]);
    }
}

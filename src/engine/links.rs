//! The links that open the viewer page, and the secret in them.

use std::net::IpAddr;

use crate::settings::{Entry, Reach, Share};

/// The address to listen on.
pub fn listening_address(reach: Reach) -> IpAddr {
    match reach {
        Reach::Loopback => IpAddr::from([127, 0, 0, 1]),
        Reach::Network => IpAddr::from([0, 0, 0, 0]),
        Reach::Address(address) => address,
    }
}

/// Where the page is, the address for other computers first, without a scheme. `own` are this computer's addresses.
pub fn places(address: IpAddr, port: u16, own: &[IpAddr]) -> Vec<String> {
    let hosts: Vec<IpAddr> = if address.is_unspecified() {
        let (loopback, network): (Vec<_>, Vec<_>) = own.iter().copied().partition(IpAddr::is_loopback);
        // Link-local IPv6 addresses need a zone that a browser can't take.
        let reachable = |host: &IpAddr| !matches!(host, IpAddr::V6(v6) if v6.is_unicast_link_local());
        let (v4, v6): (Vec<_>, Vec<_>) = network.into_iter().filter(reachable).partition(IpAddr::is_ipv4);
        v4.into_iter().chain(v6).chain(loopback.into_iter().filter(IpAddr::is_ipv4)).collect()
    } else {
        vec![address]
    };
    let host = |address: IpAddr| match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    };
    hosts.into_iter().map(|address| format!("{}:{port}", host(address))).collect()
}

/// Links to the page with what lets in: the standing secret, or the token of a one-time link. Without either they open
/// the page, which asks for a code.
pub fn links(share: &Share, places: &[String], token: Option<&str>) -> Vec<String> {
    let fragment = match (share.entry, token) {
        (Entry::Link, _) => format!("#s={}", share.secret),
        (Entry::Approve | Entry::Invited, Some(token)) => format!("#t={token}"),
        (Entry::Approve | Entry::Invited, None) => String::new(),
    };
    places.iter().map(|place| format!("http://{place}/{fragment}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_name_the_network_address_first() {
        let own: Vec<IpAddr> = ["127.0.0.1", "fe80::1", "192.168.1.7", "::1"].map(|text| text.parse().unwrap()).into();
        let share = Share { secret: "abc".to_owned(), entry: Entry::Link, ..Share::default() };
        let network = places(listening_address(Reach::Network), 8_080, &own);
        let all = links(&share, &network, None);
        assert_eq!(all, ["http://192.168.1.7:8080/#s=abc", "http://127.0.0.1:8080/#s=abc"]);
        assert_eq!(places("::1".parse().unwrap(), 80, &own), ["[::1]:80"]);
        let invited = Share { entry: Entry::Approve, ..share };
        assert_eq!(links(&invited, &network, Some("t0"))[0], "http://192.168.1.7:8080/#t=t0");
        assert_eq!(links(&invited, &network, None)[0], "http://192.168.1.7:8080/");
    }
}

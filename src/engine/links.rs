//! The links that open the viewer page, and the secret in them.

use std::net::IpAddr;

use crate::settings::{Reach, Share};

/// A new secret of 128 bits, as 32 hexadecimal digits.
pub fn new_secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The address to listen on.
pub fn listening_address(reach: Reach) -> IpAddr {
    match reach {
        Reach::Loopback => IpAddr::from([127, 0, 0, 1]),
        Reach::Network => IpAddr::from([0, 0, 0, 0]),
        Reach::Address(address) => address,
    }
}

/// Links to the page, the one for other computers first. `own` are this computer's addresses.
pub fn links(share: &Share, address: IpAddr, port: u16, own: &[IpAddr]) -> Vec<String> {
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
    hosts.into_iter().map(|address| format!("http://{}:{port}/#s={}", host(address), share.secret)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_name_the_network_address_first() {
        let own: Vec<IpAddr> = ["127.0.0.1", "fe80::1", "192.168.1.7", "::1"].map(|text| text.parse().unwrap()).into();
        let share = Share { secret: "abc".to_owned(), ..Share::default() };
        let all = links(&share, listening_address(Reach::Network), 8_080, &own);
        assert_eq!(all, ["http://192.168.1.7:8080/#s=abc", "http://127.0.0.1:8080/#s=abc"]);
        let one = links(&share, "::1".parse().unwrap(), 80, &own);
        assert_eq!(one, ["http://[::1]:80/#s=abc"]);
    }

    #[test]
    fn secrets_have_128_bits_and_differ() {
        let (first, second) = (new_secret().unwrap(), new_secret().unwrap());
        assert_eq!(first.len(), 32);
        assert_ne!(first, second);
    }
}

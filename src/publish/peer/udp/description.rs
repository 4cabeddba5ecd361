//! The session description that goes to the other side: with the port that everybody shares instead of those that the
//! library knows. Pure.

/// Puts the shared port into this computer's own candidates. What a STUN server has seen is that port already, and what a
/// TURN server lends has nothing to do with it.
pub fn with_port(sdp: &str, port: u16) -> String {
    sdp.lines()
        .flat_map(|line| [candidate_with_port(line, port).unwrap_or_else(|| line.to_owned()), "\r\n".into()])
        .collect()
}

fn candidate_with_port(line: &str, port: u16) -> Option<String> {
    let candidate = line.strip_prefix("a=candidate:")?;
    let mut words: Vec<&str> = candidate.split(' ').collect();
    let kind = words.iter().position(|word| *word == "typ").and_then(|at| words.get(at + 1).copied())?;
    let udp = words.get(2).is_some_and(|transport| transport.eq_ignore_ascii_case("udp"));
    let place = match kind {
        "host" if udp => 5,
        "srflx" if udp => words.iter().position(|word| *word == "rport")? + 1,
        _ => return None,
    };
    let port = port.to_string();
    *words.get_mut(place)? = &port;
    Some(format!("a=candidate:{}", words.join(" ")))
}

/// The names by which the other side will ask for this connection.
pub fn ufrags(sdp: &str) -> impl Iterator<Item = &str> {
    sdp.lines().filter_map(|line| line.strip_prefix("a=ice-ufrag:")).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_candidates_get_the_port_and_others_keep_theirs() {
        let sdp = "v=0\r\na=ice-ufrag:abcd\r\na=candidate:1 1 udp 2130706431 192.168.1.7 50001 typ host\r\n\
            a=candidate:2 1 udp 1694498815 203.0.113.9 40000 typ srflx raddr 192.168.1.7 rport 50001\r\n\
            a=candidate:3 1 udp 16777215 198.51.100.1 60000 typ relay raddr 203.0.113.9 rport 50001\r\n\
            a=candidate:4 1 tcp 1 192.168.1.7 9 typ host tcptype passive\r\na=candidate:\r\na=candidate:1 1 udp typ host\r\n";
        let written = with_port(sdp, 8080);
        let lines: Vec<&str> = written.lines().collect();
        assert!(lines[2].ends_with("192.168.1.7 8080 typ host"));
        assert!(lines[3].ends_with("203.0.113.9 40000 typ srflx raddr 192.168.1.7 rport 8080"));
        assert_eq!(lines[4..].join("\r\n"), sdp.lines().skip(4).collect::<Vec<_>>().join("\r\n"));
        assert!(written.ends_with("\r\n"));
        assert_eq!(ufrags(sdp).collect::<Vec<_>>(), ["abcd"]);
    }
}

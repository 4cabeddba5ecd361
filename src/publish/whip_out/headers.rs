//! What a WHIP server says in its headers: where the session is, and which STUN and TURN servers it offers. Pure.

use super::super::peer::IceServer;

/// More servers than this gather nothing that the first ones don't.
const MOST_SERVERS: usize = 8;

/// The servers with `rel="ice-server"` of all `Link` headers. One header may name several, separated by commas.
pub fn ice_servers<'a>(headers: impl Iterator<Item = &'a str>) -> Vec<IceServer> {
    let mut servers = Vec::new();
    for link in headers.flat_map(links) {
        let Some((url, parameters)) = link.trim().strip_prefix('<').and_then(|link| link.split_once('>')) else {
            continue;
        };
        let parameter = |name: &str| {
            parameters.split(';').find_map(|parameter| {
                let (known, value) = parameter.trim().split_once('=')?;
                known.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
            })
        };
        let known = ["stun:", "turn:", "turns:", "stuns:"].iter().any(|scheme| url.starts_with(scheme));
        if known && parameter("rel").as_deref() == Some("ice-server") && servers.len() < MOST_SERVERS {
            servers.push(IceServer {
                url: url.to_owned(),
                username: parameter("username").unwrap_or_default(),
                credential: parameter("credential").unwrap_or_default(),
            });
        }
    }
    servers
}

/// The links of one header, separated by commas outside of quotes and brackets.
fn links(header: &str) -> Vec<&str> {
    let (mut parts, mut start, mut quoted, mut bracketed) = (Vec::new(), 0, false, false);
    for (at, letter) in header.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            '<' => bracketed = true,
            '>' => bracketed = false,
            ',' if !quoted && !bracketed => {
                parts.push(&header[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&header[start..]);
    parts
}

/// A reference as `Location` has it, from the address that was asked: whole, or beginning with a slash, or relative.
pub fn resolve(base: &str, reference: &str) -> Option<String> {
    if reference.starts_with("http://") || reference.starts_with("https://") {
        return Some(reference.to_owned());
    }
    let (scheme, rest) = base.split_once("://")?;
    if let Some(rest) = reference.strip_prefix("//") {
        return Some(format!("{scheme}://{rest}"));
    }
    let authority = rest.split(['/', '?', '#']).next()?;
    if reference.starts_with('/') {
        return Some(format!("{scheme}://{authority}{reference}"));
    }
    let path = rest[authority.len()..].split(['?', '#']).next()?;
    let folder = path.rfind('/').map_or("/", |at| &path[..=at]);
    Some(format!("{scheme}://{authority}{folder}{reference}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ice_servers_are_read_one_a_header_or_several() {
        let one = r#"<turn:turn.example:3478?transport=udp>; rel="ice-server"; username="a,b"; credential="p;q"; credential-type="password""#;
        let several = r#"<stun:stun.example>; rel="ice-server", <https://x.example>; rel="next""#;
        let servers = ice_servers([several, one].into_iter());
        assert_eq!(servers.len(), 2);
        assert_eq!(servers[0].url, "stun:stun.example");
        assert_eq!(
            (servers[1].url.as_str(), servers[1].username.as_str()),
            ("turn:turn.example:3478?transport=udp", "a,b")
        );
        assert!(ice_servers(["", "<", "<turn:x", ">;", ",,,"].into_iter()).is_empty());
    }

    #[test]
    fn every_kind_of_location_is_found() {
        let base = "https://media.example:8443/app/whip?key=1";
        for (reference, address) in [
            ("https://other.example/s/1", "https://other.example/s/1"),
            ("//other.example/s/1", "https://other.example/s/1"),
            ("/s/1", "https://media.example:8443/s/1"),
            ("session/1", "https://media.example:8443/app/session/1"),
        ] {
            assert_eq!(resolve(base, reference).as_deref(), Some(address));
        }
        assert_eq!(resolve("https://media.example", "s").as_deref(), Some("https://media.example/s"));
        assert_eq!(resolve("nonsense", "/s"), None);
    }
}

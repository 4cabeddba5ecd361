//! Who may watch and who may change something: pure policy, so that every rule has a test.

/// What the host allows now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccessPolicy {
    /// The link's secret. An empty one opens nothing.
    pub secret: String,
    /// Watching needs no secret.
    pub watch_anyone: bool,
    /// Viewers may use the pointer.
    pub control: bool,
    /// Whoever knows the secret may publish a picture to this computer.
    pub publish: bool,
}

/// What a request is about, which decides what it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The page, its assets, and what a browser asks before it may ask (CORS).
    Nothing,
    /// Looks at the picture or at the program's state.
    Watch,
    /// Changes something, or reads what only those see who may change it.
    Change,
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The secret is missing or wrong.
    Secret,
    /// A page from elsewhere asks to change something here.
    ForeignOrigin,
}

/// What a request brings along.
#[derive(Debug, Clone, Copy, Default)]
pub struct Credentials<'a> {
    pub authorization: Option<&'a str>,
    pub origin: Option<&'a str>,
    pub host: Option<&'a str>,
    /// Neither GET nor HEAD nor OPTIONS.
    pub changes: bool,
    /// WHEP answers pages from everywhere: they have to know the secret.
    pub any_origin: bool,
}

impl AccessPolicy {
    /// Whether a request may go on.
    ///
    /// # Errors
    /// The reason to refuse it.
    pub fn check(&self, need: Need, given: &Credentials<'_>) -> Result<(), Refusal> {
        let origin = given.origin.filter(|_| given.changes);
        if !given.any_origin && origin.is_some_and(|origin| !same_origin(origin, given.host)) {
            return Err(Refusal::ForeignOrigin);
        }
        // Without a secret that only the link carries, a page from elsewhere must not play the picture in the browser
        // of somebody who can reach it. Another port of this same host is no elsewhere.
        if given.any_origin
            && !self.knows_secret(given.authorization)
            && origin.is_some_and(|origin| !same_host(origin, given.host))
        {
            return Err(Refusal::ForeignOrigin);
        }
        let open = match need {
            Need::Nothing => true,
            Need::Watch => self.watch_anyone || self.knows_secret(given.authorization),
            Need::Change => self.knows_secret(given.authorization),
        };
        if open { Ok(()) } else { Err(Refusal::Secret) }
    }

    /// Whether an `Authorization` header carries the secret, as a Bearer token or as the password of Basic.
    fn knows_secret(&self, authorization: Option<&str>) -> bool {
        let Some((scheme, rest)) = authorization.and_then(|header| header.trim().split_once(' ')) else {
            return false;
        };
        let rest = rest.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return self.is_secret(rest.as_bytes());
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return false;
        }
        let Some(decoded) = base64(rest) else { return false };
        // The password is all that follows the first colon.
        let password = decoded.iter().position(|&byte| byte == b':').map(|colon| &decoded[colon + 1..]);
        password.is_some_and(|password| self.is_secret(password))
    }

    fn is_secret(&self, given: &[u8]) -> bool {
        !self.secret.is_empty() && equal_in_constant_time(self.secret.as_bytes(), given)
    }
}

/// Compares without telling by its time where the first difference is; the length of the secret is no secret.
fn equal_in_constant_time(secret: &[u8], given: &[u8]) -> bool {
    if secret.len() != given.len() {
        return false;
    }
    let difference = secret.iter().zip(given).fold(0u8, |sum, (a, b)| sum | (a ^ b));
    std::hint::black_box(difference) == 0
}

/// Whether `Origin: scheme://authority` names the authority that the request itself went to.
fn same_origin(origin: &str, host: Option<&str>) -> bool {
    let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    match (authority, host) {
        (Some(authority), Some(host)) => authority.eq_ignore_ascii_case(host.trim()),
        _ => false,
    }
}

/// Whether the origin is on the host that the request itself went to, whatever its port.
fn same_host(origin: &str, host: Option<&str>) -> bool {
    let name = |authority: &str| match authority.rsplit_once(':') {
        // The last colon of `[::1]` belongs to the address.
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name.to_ascii_lowercase(),
        _ => authority.to_ascii_lowercase(),
    };
    let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    match (authority, host) {
        (Some(authority), Some(host)) => name(authority) == name(host.trim()),
        _ => false,
    }
}

/// Standard base64, with or without padding; `None` where it is not.
fn base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut count) = (0u32, 0u32);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            // The shift leaves the eight bits wanted at the bottom; the cast drops what was taken before.
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> AccessPolicy {
        AccessPolicy { secret: "s3cret".to_owned(), watch_anyone: false, control: true, publish: false }
    }

    fn with(authorization: &str) -> Credentials<'_> {
        Credentials { authorization: Some(authorization), ..Credentials::default() }
    }

    #[test]
    fn bearer_and_basic_open_and_nothing_else_does() {
        // "any:s3cret", ":s3cret" and "any:s3cret:" in base64.
        for right in ["Bearer s3cret", "bearer s3cret", "Basic YW55OnMzY3JldA==", "Basic OnMzY3JldA"] {
            assert_eq!(policy().check(Need::Change, &with(right)), Ok(()), "{right}");
        }
        let long = format!("Bearer {}", "x".repeat(10_000));
        for wrong in [
            "",
            "s3cret",
            "Bearer",
            "Bearer s3cre",
            "Bearer s3crett",
            "Basic s3cret",
            "Basic YW55OnMzY3JldDo=",
            "Basic !!",
            &long,
        ] {
            assert_eq!(policy().check(Need::Watch, &with(wrong)), Err(Refusal::Secret), "{wrong}");
        }
    }

    #[test]
    fn anyone_may_watch_when_the_host_says_so_but_not_change() {
        let open = AccessPolicy { watch_anyone: true, ..policy() };
        assert_eq!(open.check(Need::Watch, &Credentials::default()), Ok(()));
        assert_eq!(open.check(Need::Change, &Credentials::default()), Err(Refusal::Secret));
    }

    #[test]
    fn without_the_secret_only_pages_of_this_host_may_play() {
        let open = AccessPolicy { watch_anyone: true, ..policy() };
        let playing = |origin, authorization| {
            let host = Some("192.168.1.7:8080");
            let credentials = Credentials { authorization, origin, host, changes: true, any_origin: true };
            open.check(Need::Watch, &credentials)
        };
        for fine in
            [None, Some("http://192.168.1.7:8080"), Some("http://192.168.1.7:9000"), Some("https://192.168.1.7")]
        {
            assert_eq!(playing(fine, None), Ok(()), "{fine:?}");
        }
        for foreign in ["https://evil.example", "null", "", "http://192.168.1.70:8080", "http://[::1]:8080"] {
            assert_eq!(playing(Some(foreign), None), Err(Refusal::ForeignOrigin), "{foreign}");
            assert_eq!(playing(Some(foreign), Some("Bearer s3cret")), Ok(()), "{foreign}");
        }
    }

    #[test]
    fn an_empty_secret_opens_nothing() {
        assert_eq!(AccessPolicy::default().check(Need::Watch, &with("Bearer ")), Err(Refusal::Secret));
    }

    #[test]
    fn a_change_from_a_foreign_origin_is_refused_even_with_the_secret() {
        let ask = |origin| {
            let given = Credentials {
                origin: Some(origin),
                host: Some("192.168.1.7:8080"),
                changes: true,
                ..with("Bearer s3cret")
            };
            policy().check(Need::Change, &given)
        };
        assert_eq!(ask("http://192.168.1.7:8080"), Ok(()));
        for foreign in ["http://192.168.1.7", "http://evil.example", "null", "", "file://"] {
            assert_eq!(ask(foreign), Err(Refusal::ForeignOrigin), "{foreign}");
        }
    }
}

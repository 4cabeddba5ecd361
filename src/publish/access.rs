//! Which requests may go on: pure policy over host names, origins, fetch metadata and roles, so that every rule has a
//! test.

use std::net::IpAddr;

use super::admit::{Digest, Pass};
use super::roles::{Role, Roles};

/// What the host allows now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessPolicy {
    /// The standing link's secret. An empty one opens nothing.
    pub secret: String,
    /// Watching needs nothing at all.
    pub watch_anyone: bool,
    /// Viewers may use the pointer and the keyboard, if they have the role.
    pub control: bool,
    /// Whoever may tune may publish a picture to this computer, too.
    pub publish: bool,
    /// The host is asked before somebody with an invitation comes in.
    pub ask: bool,
    /// Names under which this computer is reached beside its own.
    pub hosts: Vec<String>,
    /// Viewers at a time.
    pub most_viewers: usize,
}

impl Default for AccessPolicy {
    fn default() -> Self {
        Self {
            secret: String::new(),
            watch_anyone: false,
            control: false,
            publish: false,
            ask: true,
            hosts: Vec::new(),
            most_viewers: super::DEFAULT_VIEWERS,
        }
    }
}

/// What a request is about, which decides what it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The page, its assets, the door, and what a browser asks before it may ask (CORS).
    Nothing,
    /// This role, whatever the host allows at the moment.
    Role(Role),
    /// To do something with the desktop: to click or to type, which each event decides by itself.
    Desktop,
    /// What no route is known for: closed to all but the standing link, so that a forgotten route is a closed one.
    Unknown,
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It asks for a host that is not this one.
    Host,
    /// It names no host at all.
    NoHost,
    /// Nothing, or nothing right, was shown.
    Secret,
    /// What was shown does not allow this.
    Role(Role),
    /// A page from elsewhere asks.
    ForeignOrigin,
}

/// Where a request came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Via {
    /// The address of this computer that it reached.
    pub local: IpAddr,
    /// Over TLS.
    pub secure: bool,
}

/// What a request says of where it comes from and where it goes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// The authority: of the request's own URI where it has one, else of the header `Host`.
    pub host: Option<&'a str>,
    pub origin: Option<&'a str>,
    /// `Sec-Fetch-Site`, `-Mode` and `-Dest`.
    pub site: Option<&'a str>,
    pub mode: Option<&'a str>,
    pub dest: Option<&'a str>,
    /// The page in which a picture is shown.
    pub referer: Option<&'a str>,
    /// Neither GET nor HEAD nor OPTIONS, or the beginning of a socket.
    pub changes: bool,
    /// It is a GET or a HEAD.
    pub reads: bool,
}

/// What is special about the route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Openness {
    /// Only this host's own pages, and what is no page.
    Own,
    /// The page itself: a link to it may stand anywhere.
    Page,
    /// WHEP and WHIP answer pages from everywhere, who have to know a secret.
    AnyOrigin,
    /// A picture: pages that a token names may show it.
    Picture,
}

impl AccessPolicy {
    /// Whether the host that a request names is this computer.
    ///
    /// # Errors
    /// [`Refusal::Host`] or [`Refusal::NoHost`].
    pub fn check_host(&self, asked: &Asked<'_>, via: Via, own_names: &[String]) -> Result<(), Refusal> {
        let name = host_name(asked.host.ok_or(Refusal::NoHost)?).ok_or(Refusal::Host)?;
        let known = match name.parse::<IpAddr>() {
            // Rebinding needs a name: an address in `Host` is where the browser really went.
            Ok(address) => {
                let (address, local) = (address.to_canonical(), via.local.to_canonical());
                address == local || (address.is_loopback() && local.is_loopback()) || self.lists(&name)
            }
            Err(_) => name == "localhost" || own_names.contains(&name) || self.lists(&name),
        };
        if known { Ok(()) } else { Err(Refusal::Host) }
    }

    fn lists(&self, name: &str) -> bool {
        self.hosts.iter().any(|known| known.eq_ignore_ascii_case(name))
    }

    /// Whether the page that asks, if it is one, may. `pass` is what was shown in a header that no foreign page can make
    /// up; `shown_in` are the pages that a token in the address names.
    ///
    /// # Errors
    /// [`Refusal::ForeignOrigin`].
    pub fn check_origin(
        &self,
        asked: &Asked<'_>,
        secure: bool,
        openness: Openness,
        (pass, shown_in): (Pass, &[String]),
    ) -> Result<(), Refusal> {
        let foreign_site = asked.site.is_some_and(|site| !matches!(site, "same-origin" | "none"));
        let foreign_origin = (asked.changes || foreign_site)
            && asked.origin.is_some_and(|origin| !same_origin(origin, asked.host, secure));
        if !foreign_site && !foreign_origin {
            return Ok(());
        }
        let fine = match openness {
            Openness::Own => false,
            Openness::Page => {
                asked.reads && asked.mode == Some("navigate") && asked.dest.is_none_or(|dest| dest == "document")
            }
            // Without a secret that only the link carries, a page from elsewhere must not play the picture in the
            // browser of somebody who can reach it. Another port of this same host is no elsewhere.
            Openness::AnyOrigin => {
                pass != Pass::Anyone
                    || !asked.changes
                    || asked.origin.is_none_or(|origin| same_host(origin, asked.host))
            }
            Openness::Picture => asked.reads && shows(asked, shown_in),
        };
        if fine { Ok(()) } else { Err(Refusal::ForeignOrigin) }
    }

    /// Whether somebody with this pass and these roles may do what needs this.
    ///
    /// # Errors
    /// [`Refusal::Secret`] where showing something could help, else [`Refusal::Role`].
    pub fn check_need(&self, need: Need, pass: Pass, written: Roles) -> Result<(), Refusal> {
        let granted = self.granted(&pass, written);
        match need {
            Need::Nothing => Ok(()),
            Need::Role(role) if granted.has(role) => Ok(()),
            Need::Unknown if matches!(pass, Pass::Standing(_)) && !granted.is_empty() => Ok(()),
            Need::Desktop if granted.may_act() => Ok(()),
            Need::Role(role) if pass != Pass::Anyone && !granted.is_empty() => Err(Refusal::Role(role)),
            Need::Desktop if pass != Pass::Anyone && !granted.is_empty() => Err(Refusal::Role(Role::Click)),
            Need::Role(_) | Need::Desktop | Need::Unknown => Err(Refusal::Secret),
        }
    }

    /// The pass that the standing link's secret gives, if this is it.
    pub fn standing(&self, word: &[u8]) -> Option<Pass> {
        let digest = Digest::of(word);
        (!self.secret.is_empty() && digest == Digest::of(self.secret.as_bytes())).then_some(Pass::Standing(digest))
    }

    /// The roles of a pass, whatever the host's switches say.
    fn granted(&self, pass: &Pass, written: Roles) -> Roles {
        match pass {
            Pass::Anyone if self.watch_anyone => Roles::WATCH,
            Pass::Anyone => Roles::NONE,
            Pass::Standing(digest) => {
                let holds = !self.secret.is_empty() && *digest == Digest::of(self.secret.as_bytes());
                if holds { Roles::ALL } else { self.granted(&Pass::Anyone, Roles::NONE) }
            }
            Pass::Guest(_) | Pass::Token(_) => written,
        }
    }

    /// What a pass allows at this moment: its roles, without what the host's switches forbid everybody.
    pub fn effective(&self, pass: &Pass, written: Roles) -> Roles {
        let granted = self.granted(pass, written);
        if self.control { granted } else { granted.without(Role::Click).without(Role::Type) }
    }
}

/// The word that an `Authorization` header carries: a Bearer token, or the password of Basic.
pub fn word_of(authorization: &str) -> Option<Vec<u8>> {
    let (scheme, rest) = authorization.trim().split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.as_bytes().to_vec());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = data_encoding::BASE64_NOPAD.decode(rest.trim_end_matches('=').as_bytes()).ok()?;
    // The password is all that follows the first colon.
    let colon = decoded.iter().position(|&byte| byte == b':')?;
    Some(decoded[colon + 1..].to_vec())
}

/// The host of an authority, without its port and brackets, in small letters; `None` where it is none.
pub fn host_name(authority: &str) -> Option<String> {
    let authority = authority.trim();
    let (name, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (name, rest) = rest.split_once(']')?;
            // Only addresses stand in brackets.
            name.parse::<std::net::Ipv6Addr>().ok()?;
            (name, rest.strip_prefix(':').or(rest.is_empty().then_some("")))
        }
        None => match authority.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (authority, Some("")),
        },
    };
    let digits = port?.bytes().all(|byte| byte.is_ascii_digit()) && port?.len() <= 5;
    // One dot at the end is the same name, written in full.
    let name = name.strip_suffix('.').unwrap_or(name);
    (digits && !name.is_empty() && name.len() <= 253 && name.is_ascii()).then(|| name.to_ascii_lowercase())
}

/// Whether `Origin: scheme://authority` names the scheme and the authority that the request itself went to.
fn same_origin(origin: &str, host: Option<&str>, secure: bool) -> bool {
    let authority = origin.strip_prefix(if secure { "https://" } else { "http://" });
    match (authority, host) {
        (Some(authority), Some(host)) => authority.eq_ignore_ascii_case(host.trim()),
        _ => false,
    }
}

/// Whether the origin is on the host that the request itself went to, whatever its port.
pub fn same_host(origin: &str, host: Option<&str>) -> bool {
    let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    match (authority.and_then(host_name), host.and_then(host_name)) {
        (Some(theirs), Some(ours)) => theirs == ours,
        _ => false,
    }
}

/// Whether the page in which a picture is to be shown is one of these.
pub fn shows(asked: &Asked<'_>, pages: &[String]) -> bool {
    let page = match (asked.origin, asked.referer) {
        (Some(origin), _) => super::admit::origin(origin),
        (None, Some(referer)) => {
            let end = referer.find("://").and_then(|at| referer[at + 3..].find('/').map(|slash| at + 3 + slash));
            super::admit::origin(&referer[..end.unwrap_or(referer.len())])
        }
        (None, None) => None,
    };
    page.is_some_and(|page| pages.contains(&page))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Via = Via { local: IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 1, 7)), secure: false };

    fn policy() -> AccessPolicy {
        AccessPolicy { secret: "s3cret".to_owned(), control: true, ..AccessPolicy::default() }
    }

    fn pass(policy: &AccessPolicy, authorization: &str) -> Pass {
        word_of(authorization).and_then(|word| policy.standing(&word)).unwrap_or(Pass::Anyone)
    }

    const WATCH: Need = Need::Role(Role::Watch);
    const TUNE: Need = Need::Role(Role::Tune);

    #[test]
    fn bearer_and_basic_open_and_nothing_else_does() {
        // "any:s3cret", ":s3cret" and "any:s3cret:" in base64.
        for right in ["Bearer s3cret", "bearer s3cret", "Basic YW55OnMzY3JldA==", "Basic OnMzY3JldA"] {
            assert_eq!(policy().check_need(TUNE, pass(&policy(), right), Roles::NONE), Ok(()), "{right}");
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
            let refused = policy().check_need(WATCH, pass(&policy(), wrong), Roles::NONE);
            assert_eq!(refused, Err(Refusal::Secret), "{wrong}");
        }
    }

    #[test]
    fn anyone_may_watch_when_the_host_says_so_but_not_change() {
        let open = AccessPolicy { watch_anyone: true, ..policy() };
        assert_eq!(open.check_need(WATCH, Pass::Anyone, Roles::NONE), Ok(()));
        assert_eq!(open.check_need(TUNE, Pass::Anyone, Roles::NONE), Err(Refusal::Secret));
        assert_eq!(open.check_need(Need::Unknown, Pass::Anyone, Roles::NONE), Err(Refusal::Secret));
    }

    #[test]
    fn an_empty_secret_opens_nothing_and_another_one_ends_what_the_old_one_opened() {
        let none = AccessPolicy::default();
        assert_eq!(pass(&none, "Bearer "), Pass::Anyone);
        assert_eq!(none.effective(&Pass::Standing(Digest::of(b"")), Roles::NONE), Roles::NONE);
        let standing = pass(&policy(), "Bearer s3cret");
        assert_eq!(policy().effective(&standing, Roles::NONE), Roles::ALL);
        let changed = AccessPolicy { secret: "other".to_owned(), ..policy() };
        assert_eq!(changed.effective(&standing, Roles::NONE), Roles::NONE);
    }

    #[test]
    fn a_guest_has_what_is_written_down_less_what_the_host_forbids_everybody() {
        let closed = AccessPolicy { control: false, ..policy() };
        let roles = Roles::WATCH.with(Role::Click).with(Role::Tune);
        assert_eq!(policy().effective(&Pass::Guest(1), roles), roles);
        assert_eq!(closed.effective(&Pass::Guest(1), roles), Roles::WATCH.with(Role::Tune));
        assert_eq!(policy().check_need(TUNE, Pass::Guest(1), Roles::WATCH), Err(Refusal::Role(Role::Tune)));
        for (role, fine) in [(Role::Click, true), (Role::Type, true), (Role::Point, false), (Role::Tune, false)] {
            let asked = policy().check_need(Need::Desktop, Pass::Guest(1), Roles::WATCH.with(role));
            assert_eq!(asked.is_ok(), fine, "{role:?}");
        }
        assert_eq!(policy().check_need(WATCH, Pass::Guest(1), Roles::NONE), Err(Refusal::Secret));
    }

    #[test]
    fn only_names_and_addresses_of_this_computer_are_hosts() {
        let policy = AccessPolicy { hosts: vec!["cast.example".to_owned()], ..policy() };
        let own = ["kitchen".to_owned(), "kitchen.local".to_owned()];
        let check = |host| policy.check_host(&Asked { host, ..Asked::default() }, HERE, &own);
        for fine in [
            "192.168.1.7",
            "192.168.1.7:8080",
            "localhost:80",
            "KITCHEN.local.",
            "kitchen:1",
            "cast.example",
            "Localhost",
        ] {
            assert_eq!(check(Some(fine)), Ok(()), "{fine}");
        }
        for foreign in [
            "",
            "evil.example",
            "192.168.1.8",
            "127.0.0.1",
            "[::1]",
            "192.168.1.7.evil.example",
            "localhost.evil.example",
            "evil.example:192.168.1.7",
            "user@192.168.1.7",
            "[kitchen]",
            "[192.168.1.7]",
            "kitchen:80:80",
            "kitchen:port",
            "kitchen/",
            "0xc0a80107",
            "kit\u{e9}chen",
        ] {
            assert_eq!(check(Some(foreign)), Err(Refusal::Host), "{foreign}");
        }
        assert_eq!(check(None), Err(Refusal::NoHost));
        let loopback = Via { local: [127, 0, 0, 1].into(), secure: false };
        let check = |host| policy.check_host(&Asked { host: Some(host), ..Asked::default() }, loopback, &own);
        assert_eq!(
            (check("127.0.0.1:9"), check("[::1]:9"), check("192.168.1.7")),
            (Ok(()), Ok(()), Err(Refusal::Host))
        );
    }

    fn asked(origin: Option<&'static str>) -> Asked<'static> {
        Asked { host: Some("192.168.1.7:8080"), origin, changes: true, ..Asked::default() }
    }

    #[test]
    fn without_the_secret_only_pages_of_this_host_may_play() {
        let open = AccessPolicy { watch_anyone: true, ..policy() };
        let standing = pass(&open, "Bearer s3cret");
        let playing = |origin, pass| open.check_origin(&asked(origin), false, Openness::AnyOrigin, (pass, &[]));
        for fine in
            [None, Some("http://192.168.1.7:8080"), Some("http://192.168.1.7:9000"), Some("https://192.168.1.7")]
        {
            assert_eq!(playing(fine, Pass::Anyone), Ok(()), "{fine:?}");
        }
        for foreign in ["https://evil.example", "null", "", "http://192.168.1.70:8080", "http://[::1]:8080"] {
            assert_eq!(playing(Some(foreign), Pass::Anyone), Err(Refusal::ForeignOrigin), "{foreign}");
            assert_eq!(playing(Some(foreign), standing), Ok(()), "{foreign}");
        }
    }

    #[test]
    fn a_change_from_a_foreign_origin_is_refused_even_with_the_secret() {
        let standing = pass(&policy(), "Bearer s3cret");
        let ask = |origin, secure| policy().check_origin(&asked(Some(origin)), secure, Openness::Own, (standing, &[]));
        assert_eq!(ask("http://192.168.1.7:8080", false), Ok(()));
        assert_eq!(ask("https://192.168.1.7:8080", true), Ok(()));
        for foreign in ["http://192.168.1.7", "https://192.168.1.7:8080", "http://evil.example", "null", "", "file://"]
        {
            assert_eq!(ask(foreign, false), Err(Refusal::ForeignOrigin), "{foreign}");
        }
        assert_eq!(ask("http://192.168.1.7:8080", true), Err(Refusal::ForeignOrigin));
    }

    #[test]
    fn fetch_metadata_of_other_sites_lets_a_link_through_and_nothing_else() {
        let standing = pass(&policy(), "Bearer s3cret");
        for site in ["cross-site", "same-site", "nonsense"] {
            let from = |openness, mode, dest| {
                let asked = Asked {
                    host: Some("192.168.1.7:8080"),
                    site: Some(site),
                    mode: Some(mode),
                    dest: Some(dest),
                    reads: true,
                    ..Asked::default()
                };
                policy().check_origin(&asked, false, openness, (standing, &[])).is_ok()
            };
            assert!(from(Openness::Page, "navigate", "document"));
            assert!(!from(Openness::Page, "navigate", "iframe") && !from(Openness::Page, "no-cors", "image"));
            assert!(!from(Openness::Own, "navigate", "document") && !from(Openness::Picture, "no-cors", "image"));
        }
        for site in ["same-origin", "none"] {
            let asked = Asked { host: Some("a"), site: Some(site), reads: true, ..Asked::default() };
            assert_eq!(policy().check_origin(&asked, false, Openness::Own, (Pass::Anyone, &[])), Ok(()));
        }
    }

    #[test]
    fn a_picture_shows_in_the_pages_that_its_token_names() {
        let pages = ["http://dash.local:8123".to_owned()];
        let token = Pass::Token(Digest::of(b"t"));
        let shown = |referer: Option<&'static str>, site| {
            let asked = Asked { host: Some("a"), site, referer, reads: true, ..Asked::default() };
            policy().check_origin(&asked, false, Openness::Picture, (token, &pages)).is_ok() && shows(&asked, &pages)
        };
        assert!(
            shown(Some("http://dash.local:8123/"), Some("cross-site")) && shown(Some("http://dash.local:8123"), None)
        );
        for elsewhere in [None, Some("http://dash.local:8124/"), Some("http://dash.local.evil.example/"), Some("junk")]
        {
            assert!(!shown(elsewhere, Some("cross-site")) && !shown(elsewhere, None), "{elsewhere:?}");
        }
    }
}

//! What is fuzzed, each with what always has to hold. `cargo fuzz` calls these for as long as one likes; the ordinary
//! tests call them with the corpus and with thousands of seeded mutations of it.

#![allow(dead_code, reason = "each target calls one of them")]

use std::net::IpAddr;
use std::time::{Duration, Instant};

use lenscast::publish::{
    AccessPolicy, Asked, Credential, Entry, Guests, Openness, PageMessage, Pass, Role, Roles, Verdict, Via, Visitor,
    host_name, needed, parse_message, parse_pointer_post, read_knock, word_of,
};

/// Lines: host, origin, site, mode, dest, referer, authorization; the first byte holds the switches.
pub fn http_policy(data: &[u8]) {
    let Some((&switches, rest)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(rest);
    let lines: Vec<&str> = text.split('\n').collect();
    let line = |at: usize| lines.get(at).copied().filter(|line| !line.is_empty());
    let asked = Asked {
        host: line(0),
        origin: line(1),
        site: line(2),
        mode: line(3),
        dest: line(4),
        referer: line(5),
        changes: switches & 1 != 0,
        reads: switches & 1 == 0,
    };
    let policy =
        AccessPolicy { secret: "s3cret".to_owned(), hosts: vec!["cast.example".to_owned()], ..AccessPolicy::default() };
    let names = ["kitchen".to_owned(), "kitchen.local".to_owned()];
    let secure = switches & 2 != 0;
    let via = Via { local: IpAddr::from([192, 168, 1, 7]), secure };
    let known = ["192.168.1.7", "localhost", "kitchen", "kitchen.local", "cast.example", "::ffff:192.168.1.7"];
    if policy.check_host(&asked, via, &names).is_ok() {
        let name = asked.host.and_then(host_name).expect("a host that was let through has a name");
        let is_mapped = name.parse::<IpAddr>().is_ok_and(|address| address.to_canonical() == via.local);
        assert!(known.contains(&name.as_str()) || is_mapped, "{name} was let through");
    }
    let standing = line(6).and_then(word_of).and_then(|word| policy.standing(&word));
    if let Some(authorization) = line(6).filter(|_| standing.is_some()) {
        let word = word_of(authorization).expect("it was read a moment ago");
        assert_eq!(word, b"s3cret");
    }
    let pages = ["http://dash.local:8123".to_owned()];
    for pass in [Pass::Anyone, standing.unwrap_or(Pass::Anyone)] {
        let foreign = asked.site.is_some_and(|site| site != "same-origin" && site != "none");
        for openness in [Openness::Own, Openness::Page, Openness::Picture, Openness::AnyOrigin] {
            let fine = policy.check_origin(&asked, secure, openness, (pass, &pages)).is_ok();
            if foreign && openness == Openness::Own {
                assert!(!fine);
            }
            if openness == Openness::Own && asked.changes && fine {
                let scheme = if secure { "https" } else { "http" };
                let own = asked.host.map(|host| format!("{scheme}://{}", host.trim()));
                let same = asked.origin.is_none_or(|origin| own.is_some_and(|own| own.eq_ignore_ascii_case(origin)));
                assert!(same, "{asked:?}");
            }
            if foreign && fine && openness == Openness::Page {
                assert!(asked.reads && asked.mode == Some("navigate"));
            }
        }
    }
}

/// Each byte is something that happens at the door; what was given out is written down beside it.
pub fn pairing(data: &[u8]) {
    let mut guests = Guests::default();
    let mut now = Instant::now();
    let (mut tokens, mut waiting): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let mut devices: Vec<String> = Vec::new();
    let mut asked = 0_usize;
    let mut entered = 0_usize;
    // So that long inputs are not only slow.
    for step in data.chunks(2).take(400) {
        let (deed, detail) = (step[0], step.get(1).copied().unwrap_or(0));
        let address = IpAddr::from([192, 0, 2, detail % 8]);
        let visitor = Visitor { name: String::from_utf8_lossy(step).into_owned(), address, browser: None };
        let ask = detail & 128 != 0;
        let mut enter = |guests: &mut Guests, credential: Credential| {
            let entry = guests.enter(&credential, (visitor.clone(), Roles::ALL), ask, now);
            match &entry {
                Entry::Waiting { name } => {
                    asked += 1;
                    waiting.push(name.clone());
                }
                Entry::Allowed(admission) => {
                    entered += 1;
                    // Without a question nobody gets more than to watch, but for those whom the host remembers.
                    let known = matches!(credential, Credential::Device(_));
                    assert!(known || admission.roles == Roles::WATCH, "{admission:?}");
                }
                Entry::Refused => {}
            }
            entry
        };
        match deed % 12 {
            0 => tokens.push(guests.invite(now).expect("there are random numbers")),
            1 => {
                let real = tokens.get(usize::from(detail) % tokens.len().max(1)).cloned();
                if let Some(token) = real {
                    let entry = enter(&mut guests, Credential::Token(token.clone()));
                    if entry != Entry::Refused {
                        tokens.retain(|other| *other != token);
                        let again = enter(&mut guests, Credential::Token(token));
                        assert_eq!(again, Entry::Refused, "a token lets in once");
                    }
                }
            }
            2 => {
                let wrong = Credential::Token(format!("{detail:032x}"));
                assert_eq!(enter(&mut guests, wrong), Entry::Refused);
            }
            3 => guests.renew_code(now).expect("there are random numbers"),
            4 => {
                let before = guests.code(now).map(|(code, _)| code.to_owned());
                let guess = if detail & 1 == 0 { before.clone() } else { Some(format!("{detail:08}")) };
                if let Some(guess) = guess {
                    let entry = enter(&mut guests, Credential::Code(guess.clone()));
                    assert!(entry == Entry::Refused || before.as_ref() == Some(&guess));
                }
            }
            5 => {
                let device = devices.get(usize::from(detail) % devices.len().max(1)).cloned();
                let device = device.unwrap_or_else(|| "unknown".to_owned());
                enter(&mut guests, Credential::Device(device));
            }
            6 => {
                if let Some(prompt) = guests.prompt(now) {
                    let roles = Roles::WATCH.with(Role::ALL[usize::from(detail) % 5]);
                    let verdict = if detail & 64 == 0 {
                        Verdict::Allow { roles, remember: detail & 32 != 0 }
                    } else {
                        Verdict::Deny
                    };
                    guests.answer(prompt.id, verdict, "2026-11-21", now);
                }
            }
            7 => {
                if let Some(name) = waiting.get(usize::from(detail) % waiting.len().max(1)).cloned()
                    && let Entry::Allowed(admission) = guests.poll(&name, now)
                {
                    entered += 1;
                    devices.extend(admission.device);
                }
            }
            8 => now += Duration::from_secs(u64::from(detail)),
            9 => guests.tick(now),
            10 => {
                let all = guests.list();
                if let Some(guest) = all.get(usize::from(detail) % all.len().max(1)) {
                    guests.set_role(guest.id, Role::ALL[usize::from(detail) % 5], detail & 16 != 0);
                    guests.remove(guest.id);
                    assert_eq!(guests.roles(&Pass::Guest(guest.id)), Roles::NONE);
                }
            }
            _ => {
                if detail == 255 {
                    guests.clear();
                    assert!(guests.list().is_empty() && guests.prompt(now).is_none());
                }
            }
        }
        assert!(guests.list().len() <= 64 && guests.waiting() <= 8);
        assert!(guests.keys.devices.len() <= 64);
        assert!(guests.list().iter().all(|guest| guest.visitor.name.chars().all(|letter| !letter.is_control())));
    }
    assert!(guests.list().len() <= entered + asked);
}

/// What pages say, on channels and by POST, and what they say at the door.
pub fn messages(data: &[u8]) {
    if let Ok(message) = parse_message(data) {
        let role = needed(&message);
        if let PageMessage::Input(event) = &message {
            assert_eq!(role.is_none(), event.lets_go());
        }
    }
    if let Ok(post) = parse_pointer_post(data) {
        assert!(post.events.len() <= 64 && !post.session.is_empty());
    }
    if let Ok(knock) = read_knock(data) {
        assert!(knock.name.len() <= 128 && knock.wished.has(Role::Watch));
    }
}

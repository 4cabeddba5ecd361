//! The page at the door, in a real browser: by link, by code, after the host's answer, and back by itself.

use std::time::Instant;

use lenscast::publish::{Role, Roles, Verdict};
use serde_json::{Value, json};

use super::answer;
use crate::support::browser::Browser;
use crate::support::studio::{Studio, eventually};

const LIVE: &str = "return window.lenscast?.state === 'live' && lenscast.frames > 0";

/// A host that has no standing link.
fn studio() -> Studio {
    let studio = Studio::start();
    studio.server.host.access.lock().unwrap().secret = String::new();
    studio
}

fn kept(browser: &Browser) -> Value {
    browser
        .run("return [Object.entries(localStorage), location.href, document.title, document.referrer, document.cookie]")
}

#[test]
fn a_one_time_link_lets_the_page_in_when_the_host_says_yes_and_leaves_no_trace() {
    let studio = studio();
    let (server, door) = (&studio.server, &studio.server.host.door);
    let token = door.invite(Instant::now()).unwrap();
    let browser = Browser::open(&[]);
    browser.go(&server.url(&format!("/#t={token}")));
    browser.wait_for("the page waits", "return window.lenscast?.state === 'entering'");
    browser.wait_for(
        "it says for what",
        "return !document.getElementById('door').hidden && /asked whether you may come in/.test(document.getElementById('door-text').textContent)",
    );
    let prompt = door.view(Instant::now()).prompt.expect("the host is asked");
    assert!(prompt.visitor.browser.as_deref().is_some_and(|browser| browser.starts_with("Chrome")), "{prompt:?}");
    answer(server, Verdict::Allow { roles: Roles::WATCH.with(Role::Click), remember: false });
    browser.wait_for("a live picture", LIVE);
    browser.wait_for("its rights", "return lenscast.host?.roles?.join() === 'watch,click'");
    let traces = kept(&browser).to_string();
    assert!(!traces.contains(&token) && !traces.contains("lenscast-80"), "{traces}");
    assert_eq!(browser.run("return [location.hash, document.referrer, document.cookie]"), json!(["", "", ""]));
    // A reload needs no link.
    browser.go(&server.url("/?again"));
    browser.wait_for("a live picture", LIVE);
    assert_eq!(door.view(Instant::now()).guests.len(), 1);
    // Taken rights show at once, and whoever is removed is out.
    let guest = door.view(Instant::now()).guests[0].id;
    door.set_role(guest, Role::Click, false);
    browser.wait_for("its rights", "return lenscast.host?.roles?.join() === 'watch' && !lenscast.controlling");
    door.remove(guest);
    browser
        .wait_for("the form", "return lenscast.state === 'secret' && !document.getElementById('secret-form').hidden");
    assert_eq!(browser.run("return document.querySelectorAll('#stage .picture').length"), json!(0), "no picture stays");
    assert!(server.publisher.viewers().is_empty());
}

#[test]
fn the_code_is_typed_and_a_remembered_device_comes_back_by_itself() {
    let studio = studio();
    let (server, door) = (&studio.server, &studio.server.host.door);
    door.renew_code(Instant::now()).unwrap();
    let code = door.view(Instant::now()).code.expect("a code").0;
    let browser = Browser::open(&[]);
    browser.go(&server.url("/"));
    let form = "return window.lenscast?.state === 'secret' && !document.getElementById('secret-form').hidden";
    browser.wait_for("the form", form);
    let fill = |code: &str| {
        browser.run(&format!(
            "document.getElementById('name-input').value = 'Anna';
             document.getElementById('wish-click').checked = true;
             document.getElementById('secret-input').value = '{code}';
             document.getElementById('secret-form').requestSubmit();"
        ));
    };
    fill(&format!("{} {}", &code[..4], &code[4..]));
    eventually("the host is asked", || door.view(Instant::now()).prompt.is_some());
    let prompt = door.view(Instant::now()).prompt.unwrap();
    assert_eq!((prompt.visitor.name.as_str(), prompt.wished), ("Anna", Roles::WATCH.with(Role::Click)));
    answer(server, Verdict::Allow { roles: Roles::WATCH, remember: true });
    browser.wait_for("a live picture", LIVE);
    // A new tab knows nothing but what the device keeps; and sharing was started anew.
    door.clear();
    browser.run("sessionStorage.clear()");
    browser.go("about:blank");
    browser.go(&server.url("/"));
    browser.wait_for("a live picture", LIVE);
    assert_eq!(door.view(Instant::now()).guests[0].visitor.name, "Anna");
    // Forgotten, it has to ask again; what it kept is thrown away.
    door.forget(door.view(Instant::now()).devices[0].digest);
    browser.wait_for("the form", form);
    browser.wait_for("nothing is kept", "return localStorage.getItem('lenscast-device') === null");
    fill("11112222");
    browser
        .wait_for("a plain refusal", "return /not let in/.test(document.getElementById('secret-error').textContent)");
    assert_eq!(browser.run("return lenscast.state"), "secret");
}

//! Pages on other origins, in a real browser, try everything that a browser lets them: nothing changes and no pixel can
//! be read.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use lenscast::publish::Roles;
use serde_json::{Value, json};

use crate::support::browser::Browser;
use crate::support::studio::{SECRET, Studio};

/// A web server of somebody else: an empty page, whatever is asked for.
struct Elsewhere {
    port: u16,
    ends: Arc<AtomicBool>,
}

impl Elsewhere {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("it has an address").port();
        let ends = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&ends);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(mut stream) = stream else { continue };
                // Browsers open connections before they know what to ask for.
                std::thread::spawn(move || {
                    if stream.read(&mut [0; 4096]).is_ok_and(|bytes| bytes > 0) {
                        let page = "<!doctype html><title>elsewhere</title><body></body>";
                        let _ = write!(
                            stream,
                            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
                            page.len()
                        );
                    }
                });
            }
        });
        Self { port, ends }
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        let _ = std::net::TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// What a page can do to read the picture or change something, without knowing any secret. Each gives what it got.
const ATTEMPTS: &str = "
  const url = TARGET;
  const got = {};
  const text = (promise) => promise.then((value) => String(value), (error) => 'failed: ' + error.name);
  for (const path of ['/state', '/snapshot', '/api/v1/chain', '/api/v1/clock', '/api/v1/enter/x', '/']) {
    for (const credentials of ['include', 'omit']) {
      got[`read ${path} ${credentials}`] = await text(fetch(url + path, { credentials }).then((r) => r.text()));
    }
  }
  const post = (path, method, body, headers = {}) => fetch(url + path, { method, body, headers, credentials: 'include' });
  const pointer = JSON.stringify({ session: 'a', events: [{ kind: 'down', x: 0.5, y: 0.5, button: 'left', seq: 1, epoch: 1 }] });
  got.post = await text(post('/api/v1/pointer', 'POST', pointer).then((r) => r.status));
  got.postNoCors = await text(fetch(url + '/api/v1/pointer', { method: 'POST', mode: 'no-cors', credentials: 'include', body: pointer }).then((r) => r.type));
  got.patch = await text(post('/api/v1/chain', 'PATCH', '{\"filters\":{\"new\":{\"filter\":\"invert\"}}}', { 'Content-Type': 'application/json' }).then((r) => r.status));
  got.enter = await text(post('/api/v1/enter', 'POST', '{\"code\":\"00000000\"}', { 'Content-Type': 'application/json' }).then((r) => r.status));
  const pc = new RTCPeerConnection();
  pc.addTransceiver('video', { direction: 'recvonly' });
  await pc.setLocalDescription();
  got.whep = await text(post('/whep', 'POST', pc.localDescription.sdp, { 'Content-Type': 'application/sdp' }).then((r) => r.status));
  got.whepPlain = await text(fetch(url + '/whep', { method: 'POST', body: pc.localDescription.sdp, headers: { 'Content-Type': 'application/sdp' } }).then((r) => r.status));
  pc.close();
  const image = (path, crossOrigin) => new Promise((done) => {
    const image = new Image();
    if (crossOrigin) image.crossOrigin = crossOrigin;
    image.onload = () => {
      const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight), context = canvas.getContext('2d');
      context.drawImage(image, 0, 0);
      try { context.getImageData(0, 0, 1, 1); done('read'); } catch (error) { done('shown: ' + error.name); }
    };
    image.onerror = () => done('failed');
    setTimeout(() => done('failed: nothing came'), 3000);
    image.src = url + path;
  });
  for (const path of ['/snapshot', '/stream', '/?action=snapshot', '/favicon.ico']) {
    got[`img ${path}`] = await image(path);
    got[`img cors ${path}`] = await image(path, 'use-credentials');
  }
  const socket = (protocols) => new Promise((done) => {
    const socket = new WebSocket(url.replace('http', 'ws') + '/ws', protocols);
    socket.onopen = () => done('open');
    socket.onerror = () => done('failed');
  });
  got.socket = await socket(['lenscast']);
  got.frame = await new Promise((done) => {
    const frame = document.createElement('iframe');
    frame.onload = () => { let inside = 'opaque'; try { inside = String(frame.contentDocument?.title ?? 'opaque'); } catch { } done(inside); };
    frame.src = url + '/';
    document.body.append(frame);
    setTimeout(() => done('nothing came'), 3000);
  });
  got.form = await new Promise((done) => {
    const frame = document.createElement('iframe');
    frame.name = 'sink';
    document.body.append(frame);
    const form = document.createElement('form');
    Object.assign(form, { method: 'POST', action: url + '/api/v1/pointer', enctype: 'text/plain', target: 'sink' });
    const field = form.appendChild(document.createElement('input'));
    field.name = pointer.slice(0, -1) + ',\"x\":\"';
    field.value = '\"}';
    document.body.append(form);
    frame.onload = () => done('sent');
    form.submit();
    setTimeout(() => done('sent'), 2000);
  });
  const script = await new Promise((done) => {
    const script = document.createElement('script');
    script.onload = () => done('loaded');
    script.onerror = () => done('failed');
    script.src = url + '/viewer/main.js';
    document.head.append(script);
  });
  got.script = script;
  return got;";

fn attempts(browser: &Browser, target: &str) -> Value {
    let got = browser.run_async(&ATTEMPTS.replace("TARGET", &format!("'{target}'")));
    assert!(got.get("error").is_none(), "{got}");
    got
}

/// Nothing was read, and nothing happened.
fn assert_nothing(studio: &Studio, got: &Value, what: &str) {
    for (name, result) in got.as_object().expect("a list of results") {
        let result = result.as_str().unwrap_or_default();
        let fine = result.starts_with("failed")
            || matches!(result, "403" | "401" | "421" | "opaque" | "nothing came" | "sent");
        assert!(fine, "{what}: {name} gave {result:.200}");
    }
    assert!(studio.server.host.pointer.lock().unwrap().iter().all(|(_, event)| event.is_none()), "{what}: a click");
    assert!(studio.server.host.chain.lock().unwrap().items().is_empty(), "{what}: a filter");
    assert!(studio.server.publisher.viewers().is_empty(), "{what}: somebody watches");
}

#[test]
fn a_page_from_elsewhere_reads_nothing_and_changes_nothing() {
    let studio = Studio::start();
    let target = studio.server.url("");
    let elsewhere = Elsewhere::start();
    let browser = Browser::open(&["--host-resolver-rules=MAP evil.example 127.0.0.1"]);
    // This browser's user is let in: its session lies in the cookies, where a foreign page could make use of it.
    studio.server.host.access.lock().unwrap().ask = false;
    let token = studio.server.host.door.invite(Instant::now()).unwrap();
    browser.go(&studio.server.url(&format!("/#t={token}")));
    browser.wait_for("a live picture", "return window.lenscast?.state === 'live' && lenscast.frames > 0");
    let guest = studio.server.host.door.view(Instant::now()).guests[0].id;
    Roles::ALL.iter().for_each(|role| studio.server.host.door.set_role(guest, role, true));
    for watch_anyone in [false, true] {
        studio.server.host.access.lock().unwrap().watch_anyone = watch_anyone;
        // Another site, and another port of this one, which is the same site to cookies.
        for page in
            [format!("http://evil.example:{}/", elsewhere.port), format!("http://127.0.0.1:{}/", elsewhere.port)]
        {
            browser.go(&page);
            crate::support::studio::eventually("the page of before has left", || {
                studio.server.publisher.viewers().is_empty()
            });
            studio.server.host.pointer.lock().unwrap().clear();
            let mut got = attempts(&browser, &target);
            let what = format!("{page}, watch_anyone {watch_anyone}");
            if watch_anyone && page.contains("127.0.0.1") {
                // Another program of this very computer may play what anyone may watch; that is what `anyone` says.
                let played = got.as_object_mut().expect("a list");
                played.remove("whep");
                assert_eq!(played.remove("whepPlain"), Some(json!("201")), "{what}");
                let viewers = studio.server.publisher.viewers();
                assert!(viewers.iter().all(|viewer| studio.server.publisher.disconnect(viewer.id)));
                crate::support::studio::eventually("it has left", || studio.server.publisher.viewers().is_empty());
            }
            assert_nothing(&studio, &got, &what);
        }
    }
}

#[test]
fn a_name_that_is_bound_anew_to_this_computer_gets_nothing() {
    let studio = Studio::start();
    let port = studio.server.publisher.address().port();
    // To the browser these are the attacker's own pages: everything is of one origin.
    let browser = Browser::open(&["--host-resolver-rules=MAP evil.example 127.0.0.1"]);
    for watch_anyone in [false, true] {
        studio.server.host.access.lock().unwrap().watch_anyone = watch_anyone;
        let target = format!("http://evil.example:{port}");
        browser.go(&format!("{target}/"));
        assert!(browser.run("return window.lenscast ?? null").is_null(), "not even the page is there");
        let got = browser.run_async(&format!(
            "const got = {{}};
             for (const path of ['/', '/state', '/snapshot', '/api/v1/chain', '/viewer/main.js']) {{
               const r = await fetch(path, {{ headers: {{ Authorization: 'Bearer {SECRET}' }} }});
               got[path] = r.status;
             }}
             got.post = (await fetch('/api/v1/pointer', {{ method: 'POST', body: '{{}}', headers: {{ Authorization: 'Bearer {SECRET}' }} }})).status;
             got.socket = await new Promise((done) => {{
               const socket = new WebSocket('ws://' + location.host + '/ws', ['lenscast']);
               socket.onopen = () => done('open'); socket.onerror = () => done('failed'); }});
             return got;"
        ));
        let expected = json!({ "/": 421, "/state": 421, "/snapshot": 421, "/api/v1/chain": 421, "/viewer/main.js": 421,
            "post": 421, "socket": "failed" });
        assert_eq!(got, expected);
    }
    assert!(studio.server.publisher.viewers().is_empty());
}

#[test]
fn a_dashboard_that_its_token_names_shows_the_picture_and_can_not_read_it() {
    let studio = Studio::start();
    let elsewhere = Elsewhere::start();
    let dashboard = format!("http://dash.example:{}", elsewhere.port);
    let token =
        studio.server.host.door.add_token("Dashboard", Roles::WATCH, std::slice::from_ref(&dashboard)).unwrap().secret;
    let browser = Browser::open(&["--host-resolver-rules=MAP dash.example 127.0.0.1,MAP evil.example 127.0.0.1"]);
    let show = |page: &str, path: &str| {
        browser.go(page);
        browser.run_async(&format!(
            "return await new Promise((done) => {{
               const image = document.body.appendChild(new Image());
               image.onload = () => {{
                 const context = new OffscreenCanvas(8, 8).getContext('2d');
                 context.drawImage(image, 0, 0);
                 try {{ context.getImageData(0, 0, 1, 1); done('read'); }} catch {{ done('shown'); }}
               }};
               image.onerror = () => done('failed');
               setTimeout(() => done('failed'), 5000);
               image.src = '{}?token={token}';
             }})",
            studio.server.url(path)
        ))
    };
    assert_eq!(show(&format!("{dashboard}/"), "/snapshot"), "shown");
    assert_eq!(show(&format!("{dashboard}/"), "/stream"), "shown");
    assert_eq!(show(&format!("http://evil.example:{}/", elsewhere.port), "/snapshot"), "failed");
    let log = studio.server.host.door.view(Instant::now()).log;
    assert!(log.iter().all(|line| !line.text.contains(&token)));
}

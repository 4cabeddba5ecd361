//! The headless host and its command line: approvals on the terminal, tokens that a running program notices, the log.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use super::{bearer, knock};
use crate::support::program::{Folder, Program, command, finish};
use crate::support::studio::eventually;
use crate::support::wire::ask_bare;

/// `lenscast serve` with a terminal that a test types on.
struct Terminal {
    process: Child,
    keys: ChildStdin,
    lines: Receiver<String>,
    printed: Vec<String>,
}

impl Terminal {
    fn start(folder: &Folder, arguments: &[&str]) -> Self {
        let mut command = command(folder, None, &["serve", "--port", "0", "--source", "pattern"]);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("the program was built with the tests");
        let keys = process.stdin.take().expect("piped");
        let output = BufReader::new(process.stdout.take().expect("piped"));
        let (sender, lines) = channel();
        std::thread::spawn(move || output.lines().map_while(Result::ok).all(|line| sender.send(line).is_ok()));
        Self { process, keys, lines, printed: Vec::new() }
    }

    /// Waits for a line with this in it.
    fn line(&mut self, part: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(Duration::from_secs(30));
            let line = line.unwrap_or_else(|_| panic!("no `{part}` in {:?}", self.printed));
            self.printed.push(line.clone());
            if line.contains(part) {
                return line;
            }
        }
    }

    fn press(&mut self, keys: &str) {
        writeln!(self.keys, "{keys}").expect("the program reads");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Address and token of a one-time link.
fn link_of(line: &str) -> (SocketAddr, String) {
    let (address, token) = line.split_once("http://").and_then(|(_, link)| link.split_once("/#t=")).expect("a link");
    (address.parse().expect("an address"), token.to_owned())
}

fn poll(address: SocketAddr, waiting: &Value) -> (u16, Value) {
    let path = format!("/api/v1/enter/{}", waiting["id"].as_str().expect("a name to ask by"));
    let answer = ask_bare(address, "GET", &path, "", "");
    (answer.status, answer.json())
}

#[test]
fn the_terminal_asks_and_its_answer_counts() {
    let folder = Folder::new();
    let mut terminal = Terminal::start(&folder, &["--watch", "approve", "--control"]);
    let (address, token) = link_of(&terminal.line("One-time link"));
    terminal.line("Code, for");
    let fingerprint = terminal.line("HTTPS");
    terminal.line("Press Ctrl-C");
    assert!(!terminal.printed.join("\n").contains("#s="), "there is no standing link");
    let waiting = knock(address, &json!({ "token": token, "name": "Anna", "role": "click" })).json();
    let asked = terminal.line("asks to come in");
    assert!(asked.contains("Anna") && asked.contains("127.0.0.1") && asked.contains("watch, click"), "{asked}");
    terminal.press("c");
    let mut entered = Value::Null;
    eventually("she is in", || {
        let (status, body) = poll(address, &waiting);
        entered = body;
        status == 200
    });
    assert_eq!(entered["roles"], json!(["watch", "click"]));
    terminal.press("");
    let (_, token) = link_of(&terminal.line("One-time link"));
    let waiting = knock(address, &json!({ "token": token, "name": "Eve" })).json();
    terminal.line("Eve");
    terminal.press("n");
    eventually("she is not", || poll(address, &waiting).0 == 403);
    // What was let in, and nothing secret, is in the log; the certificate is the same next time.
    let session = entered["session"].as_str().expect("a session").to_owned();
    let mut log = String::new();
    eventually("the log is written", || {
        log = finish(command(&folder, None, &["log"])).1;
        log.contains("denied")
    });
    let events: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    let kinds: Vec<&str> = events.iter().filter_map(|event| event["event"].as_str()).collect();
    assert_eq!(kinds, ["asked", "entered", "asked", "denied"]);
    for secret in [&session, &token] {
        assert!(!log.contains(secret.as_str()));
    }
    drop(terminal);
    let mut again = Terminal::start(&folder, &["--watch", "invited"]);
    let hex = |line: &str| line.rsplit(' ').next().expect("a fingerprint").to_owned();
    assert_eq!(hex(&again.line("HTTPS")), hex(&fingerprint));
}

#[test]
fn tokens_are_made_listed_and_ended_while_the_program_runs() {
    let program = Program::serve(None, &["--source", "pattern"]);
    let run = |arguments: &[&str]| finish(command(&program.folder, None, arguments));
    let (code, made, _) = run(&["token", "add", "VLC", "--role", "watch"]);
    assert_eq!(code, Some(0));
    let token = made.trim().to_owned();
    assert_eq!(token.len(), 32);
    let asks = || ask_bare(program.address, "GET", "/state", &bearer(&token), "").status;
    eventually("the program knows it", || asks() == 200);
    assert_eq!(ask_bare(program.address, "GET", "/api/v1/chain", &bearer(&token), "").status, 403);
    let (_, listed, _) = run(&["token", "list"]);
    assert!(listed.starts_with("VLC: watch, made 20") && !listed.contains(&token), "{listed}");
    let (code, _, errors) = run(&["token", "add", "VLC"]);
    assert!(code == Some(1) && errors.contains("one of this name"), "{errors}");
    let (code, _, errors) = run(&["token", "add", "Page", "--origin", "everywhere"]);
    assert!(code == Some(1) && errors.contains("is not an origin"), "{errors}");
    let kept = std::fs::read_to_string(program.folder.path().join("access.json")).expect("the file is there");
    assert!(!kept.contains(&token));
    assert_eq!(run(&["token", "remove", "VLC"]).0, Some(0));
    eventually("the program knows that, too", || asks() == 401);
    assert_eq!(run(&["token", "remove", "VLC"]).0, Some(1));
    assert!(!program.complaints().contains(&token));
}

#[test]
fn no_secret_is_in_what_the_program_writes_however_much_it_writes() {
    let folder = Folder::new();
    let mut command = command(&folder, None, &["serve", "--port", "0", "--source", "pattern", "-vv"]);
    command.args(["--watch", "link", "--control"]);
    let program = Program::begin(folder, command);
    let token = finish(add(&program.folder)).1.trim().to_owned();
    eventually("the token counts", || ask_bare(program.address, "GET", "/state", &bearer(&token), "").status == 200);
    assert_eq!(program.ask("GET", "/state", "", "").status, 200);
    let path = format!("/snapshot?token={token}");
    let from = "Referer: http://dash.example/\r\nSec-Fetch-Site: cross-site\r\n";
    assert_eq!(ask_bare(program.address, "GET", &path, from, "").status, 200);
    knock(program.address, &json!({ "token": "0123456789abcdef0123456789abcdef" }));
    let event = json!({ "session": "a", "events": [
        { "kind": "move", "x": 0.123456, "y": 0.654321, "epoch": 1, "seq": 0 }] });
    program.ask("POST", "/api/v1/pointer", "", &event.to_string());
    let sdp = "v=0\r\no=marker-of-a-description 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";
    program.ask("POST", "/whep", "Content-Type: application/sdp\r\n", sdp);
    let written = || {
        let files = std::fs::read_dir(program.folder.path()).expect("the folder is the test's own");
        let texts = files.filter_map(|file| std::fs::read_to_string(file.ok()?.path()).ok());
        texts.collect::<String>() + &program.complaints()
    };
    eventually("the refusal is written down", || written().contains("refused"));
    let written = written();
    let never = [&token, &program.secret, "0123456789abcdef0123456789abcdef", "0.123456", "marker-of-a-description"];
    for secret in never {
        assert!(!written.contains(secret), "{secret} in {written}");
    }
    for name in ["access.json", "access.log", "certificate.json"] {
        use std::os::unix::fs::PermissionsExt;
        let about = std::fs::metadata(program.folder.path().join(name)).expect(name);
        assert_eq!(about.permissions().mode() & 0o777, 0o600, "{name}");
    }
}

/// Makes a token for a dashboard.
fn add(folder: &Folder) -> std::process::Command {
    command(folder, None, &["token", "add", "Dashboard", "--origin", "http://dash.example"])
}

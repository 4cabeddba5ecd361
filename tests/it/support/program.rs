//! The real program as its users start it: a process with a folder of its own, asked over HTTP and by signals.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use image::RgbImage;
use serde_json::{Value, json};

use super::studio::eventually;
use super::wire::{Answer, Stream, ask_bare, open};

/// A folder that goes when this is dropped.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("lenscast-it-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("the folder for temporary files can be written to");
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The program with a folder and, perhaps, a display; it is not running yet.
pub fn command(folder: &Folder, display: Option<&str>, arguments: &[&str]) -> Command {
    // Figures are taken of a release build, which is not what the tests were built with.
    let other = std::env::var_os("LENSCAST_TEST_BINARY").map(PathBuf::from);
    let binary = other.as_deref().unwrap_or(Path::new(env!("CARGO_BIN_EXE_lenscast")));
    command_of(binary, folder, display, arguments)
}

/// One of the examples, which `cargo test` builds beside the program.
pub fn example(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_lenscast")).with_file_name("examples").join(name);
    assert!(path.is_file(), "{} is not built; `cargo build --examples` does it", path.display());
    path
}

/// The same for another binary.
pub fn command_of(binary: &Path, folder: &Folder, display: Option<&str>, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary);
    command.args(arguments).env("LENSCAST_CONFIG_DIR", folder.path()).env_remove("WAYLAND_DISPLAY");
    command.env_remove("RUST_LOG").env_remove("DISPLAY").env_remove("XAUTHORITY").stdin(Stdio::null());
    command.envs(display.map(|display| ("DISPLAY", display)));
    command
}

/// A running program; it is ended when this is dropped.
pub struct Program {
    process: Child,
    /// What it wrote to its error output so far.
    complaints: Arc<Mutex<String>>,
    /// Where its files are.
    pub folder: Folder,
    pub address: SocketAddr,
    pub secret: String,
    /// What it printed when it began to share.
    pub greeting: Vec<String>,
}

impl Program {
    /// Starts `lenscast serve` on a free port and waits until it shares.
    pub fn serve(display: Option<&str>, arguments: &[&str]) -> Self {
        Self::serve_on("0", display, arguments)
    }

    /// The same on a certain port.
    pub fn serve_on(port: &str, display: Option<&str>, arguments: &[&str]) -> Self {
        let folder = Folder::new();
        let mut command = command(&folder, display, &["serve", "--port", port]);
        command.args(arguments);
        Self::begin(folder, command)
    }

    /// Starts what serves and waits until it shares.
    pub fn begin(folder: Folder, mut command: Command) -> Self {
        let mut process = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program was built with the tests");
        let complaints = collect(&mut process);
        let mut greeting = Vec::new();
        for line in BufReader::new(process.stdout.take().expect("its output is piped")).lines().map_while(Result::ok) {
            let last = line.starts_with("Press Ctrl-C");
            greeting.push(line);
            if last {
                break;
            }
        }
        let link = greeting.iter().find_map(|line| line.trim().strip_prefix("http://")?.split_once("/#s="));
        let Some((address, secret)) = link else {
            let _ = process.kill();
            panic!("no link in {greeting:?}: {}", complaints.lock().unwrap());
        };
        let address = address.parse().expect("a link has an address and a port");
        let secret = secret.to_owned();
        Self { process, complaints, folder, address, secret, greeting }
    }

    /// Starts the window, with settings that share on a port that was free a moment ago, to anyone who asks.
    pub fn window(display: &str, mut settings: Value) -> Self {
        let folder = Folder::new();
        let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = port.expect("there is a free port");
        for (name, value) in [("version", 1.into()), ("reach", "loopback".into()), ("watch_anyone", true.into())] {
            settings[name] = value;
        }
        settings["port"] = address.port().into();
        std::fs::write(folder.path().join("settings.json"), settings.to_string())
            .expect("the folder is the test's own");
        let mut process = command(&folder, Some(display), &[])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program was built with the tests");
        let complaints = collect(&mut process);
        Self { process, complaints, folder, address, secret: String::new(), greeting: Vec::new() }
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// The viewer page's address; `query` is empty or begins with a question mark.
    pub fn page(&self, query: &str) -> String {
        format!("http://{}/{query}#s={}", self.address, self.secret)
    }

    /// An answer from the program; `more` are header lines with their endings.
    pub fn ask(&self, method: &str, path: &str, more: &str, body: &str) -> Answer {
        let more = format!("Authorization: Bearer {}\r\n{more}", self.secret);
        ask_bare(self.address, method, path, &more, body)
    }

    /// One pointer event of a session by a request, as a page without a channel sends it.
    pub fn point(&self, session: &str, event: &Value) -> Answer {
        self.ask("POST", "/api/v1/pointer", "", &json!({ "session": session, "events": [event] }).to_string())
    }

    pub fn state(&self) -> Value {
        self.ask("GET", "/state", "", "").json()
    }

    /// A number of `/state`, named as in a JSON pointer.
    pub fn count(&self, pointer: &str) -> u64 {
        let state = self.state();
        state.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("{pointer} is no number in {state}"))
    }

    /// The counters of one encoder.
    pub fn encoder(&self, codec: &str) -> Value {
        let state = self.state();
        let found = state["encoders"].as_array().and_then(|all| all.iter().find(|one| one["codec"] == codec).cloned());
        found.unwrap_or_else(|| panic!("no {codec} in {state}"))
    }

    pub fn patch_chain(&self, patch: &Value) -> Value {
        let answer = self.ask("PATCH", "/api/v1/chain", "Content-Type: application/json\r\n", &patch.to_string());
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        answer.json()
    }

    /// One fresh picture.
    pub fn snapshot(&self) -> RgbImage {
        let answer = self.ask("GET", "/snapshot", "", "");
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        image::load_from_memory(&answer.body).expect("a snapshot is a JPEG").into_rgb8()
    }

    /// An endless stream of JPEGs, up to its first part.
    pub fn stream(&self) -> Stream {
        let request =
            format!("GET /stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n", self.secret);
        let mut stream = open(self.address, &request);
        assert_eq!(stream.status, 200);
        stream.line();
        stream
    }

    /// What it wrote to its error output so far.
    pub fn complaints(&self) -> String {
        self.complaints.lock().unwrap().clone()
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.id().to_string()]).status();
        assert!(sent.expect("every system has kill").success());
    }

    /// Waits until the program has ended by itself.
    pub fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        eventually("the program ends", || {
            status = self.process.try_wait().expect("the program is a child of this one");
            status.is_some()
        });
        status.expect("it has ended")
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the program wrote:\n{}", self.complaints());
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Reads the error output on a thread, or the program would stall once the pipe is full.
fn collect(process: &mut Child) -> Arc<Mutex<String>> {
    let complaints = Arc::new(Mutex::new(String::new()));
    let (seen, output) = (Arc::clone(&complaints), process.stderr.take().expect("its error output is piped"));
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            seen.lock().unwrap().push_str(&format!("{line}\n"));
        }
    });
    complaints
}

/// The number of a part of an MJPEG stream.
pub fn frame_number(head: &[String]) -> u64 {
    let number = head.iter().find_map(|line| line.strip_prefix("X-Frame: "));
    number.and_then(|number| number.parse().ok()).expect("each part has its frame's number")
}

/// Waits until a number has not changed for a while, and gives it.
pub fn settled(what: &str, mut number: impl FnMut() -> u64) -> u64 {
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut last = number();
    loop {
        // Longer than any source takes from one picture to the next.
        std::thread::sleep(Duration::from_millis(700));
        let now = number();
        if now == last {
            return now;
        }
        assert!(Instant::now() < deadline, "{what} never comes to rest");
        last = now;
    }
}

/// Runs a command to its end: whether it went well, its output and its error output.
pub fn finish(mut command: Command) -> (Option<i32>, String, String) {
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program was built");
    let mut output = String::new();
    let mut errors = String::new();
    // Both are far smaller than a pipe holds.
    process.stdout.take().expect("piped").read_to_string(&mut output).expect("it is text");
    process.stderr.take().expect("piped").read_to_string(&mut errors).expect("it is text");
    (process.wait().expect("it ends").code(), output, errors)
}

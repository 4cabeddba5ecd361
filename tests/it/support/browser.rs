//! A small WebDriver client: a real Chromium, driven by its chromedriver.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Where distributions put the browser; `CHROMIUM` names another place.
const BROWSERS: &[&str] =
    &["/usr/lib/chromium/chromium", "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
/// WebRTC over loopback, video without a click, and no background traffic.
const ARGUMENTS: &[&str] = &[
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
    "--disable-dev-shm-usage",
    "--window-size=1280,900",
];

/// Browsers decode video on the processor; several at a time starve each other on a small machine.
static TURN: Mutex<()> = Mutex::new(());

/// One browser with one window; it is closed when this is dropped.
pub struct Browser {
    driver: Child,
    agent: ureq::Agent,
    session: String,
    profile: PathBuf,
    _turn: MutexGuard<'static, ()>,
}

impl Browser {
    /// Opens a browser when no other test has one open; `more` are further arguments of Chromium.
    pub fn open(more: &[&str]) -> Self {
        // A test that failed has closed its browser all the same.
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is installed (scripts/setup.sh installs it)");
        let port = announced_port(&mut driver);
        let agent = ureq::Agent::new_with_config(
            ureq::Agent::config_builder()
                .timeout_global(Some(Duration::from_secs(90)))
                .http_status_as_error(false)
                .build(),
        );
        let profile = std::env::temp_dir().join(format!("lenscast-browser-{}-{port}", std::process::id()));
        let mut arguments: Vec<String> = ARGUMENTS.iter().chain(more).map(|&argument| argument.to_owned()).collect();
        arguments.push(format!("--user-data-dir={}", profile.display()));
        let binary = std::env::var("CHROMIUM").unwrap_or_else(|_| {
            let found = BROWSERS.iter().find(|path| Path::new(path).exists());
            (*found.expect("Chromium is installed, or CHROMIUM says where it is")).to_owned()
        });
        let mut browser =
            Self { driver, agent, session: format!("http://127.0.0.1:{port}/session"), profile, _turn: turn };
        let options = json!({ "binary": binary, "args": arguments });
        let opened = browser.call("", &json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": options } } }));
        let id = opened["sessionId"].as_str().expect("chromedriver opens a session").to_owned();
        browser.session = format!("{}/{id}", browser.session);
        browser.call("/timeouts", &json!({ "script": 60_000, "pageLoad": 60_000 }));
        browser
    }

    pub fn go(&self, url: &str) {
        self.call("/url", &json!({ "url": url }));
    }

    /// Runs a script's statements in the page and gives what it returns.
    pub fn run(&self, script: &str) -> Value {
        self.call("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Runs statements that may `await`; what they throw comes back as `{"error": text}`.
    pub fn run_async(&self, script: &str) -> Value {
        let wrapped = format!(
            "const done = arguments[arguments.length - 1];
             (async () => {{ {script} }})().then((value) => done(value ?? null), (error) => done({{ error: String(error) }}));"
        );
        self.call("/execute/async", &json!({ "script": wrapped, "args": [] }))
    }

    /// Asks again until a script returns something that is neither false nor null.
    pub fn wait_for(&self, what: &str, script: &str) -> Value {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let value = self.run(script);
            if !matches!(value, Value::Null | Value::Bool(false)) {
                return value;
            }
            assert!(Instant::now() < deadline, "the page never got there: {what}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// WebDriver's input actions: what a hand would do, through the browser's own event handling.
    pub fn act(&self, actions: &Value) {
        self.call("/actions", actions);
    }

    /// Has a script run in every document from now on, before the document's own scripts.
    pub fn before_each_page(&self, script: &str) {
        self.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": script }));
    }

    /// Sends a command of Chromium's own protocol, for what WebDriver has no word for.
    pub fn devtools(&self, command: &str, parameters: &Value) {
        self.call("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }));
    }

    /// Ends the browser's processes all at once with a signal that none of them hears, as a crash or the system would.
    #[cfg(target_os = "linux")]
    pub fn kill(&self) {
        self.signal("KILL");
    }

    /// Sends a signal to all of the browser's processes.
    #[cfg(target_os = "linux")]
    pub fn signal(&self, name: &str) {
        let parents: Vec<(u32, u32)> = std::fs::read_dir("/proc")
            .expect("Linux has it")
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter_map(|process: u32| {
                let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
                // After the name in brackets, which may hold anything, come the state and the parent.
                Some((process, stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok()?))
            })
            .collect();
        let mut family = vec![self.driver.id()];
        let mut at = 0;
        while let Some(&parent) = family.get(at) {
            family.extend(parents.iter().filter(|(_, its)| *its == parent).map(|(process, _)| *process));
            at += 1;
        }
        let victims: Vec<String> = family[1..].iter().map(ToString::to_string).collect();
        assert!(!victims.is_empty(), "the driver has a browser");
        // One that has just ended by itself makes the command fail, and is none the worse for it.
        let _ = Command::new("kill").arg(format!("-{name}")).args(&victims).stderr(Stdio::null()).status();
    }

    fn call(&self, path: &str, body: &Value) -> Value {
        let reply = self.agent.post(format!("{}{path}", self.session)).send_json(body);
        let reply: Value = reply.and_then(|mut reply| reply.body_mut().read_json()).expect("chromedriver answers");
        let value = reply["value"].clone();
        assert!(value.get("stacktrace").is_none(), "{path}: {}: {}", value["error"], value["message"]);
        value
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver closes the browser with the session; without it Chromium's processes would stay.
        let _ = self.agent.delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

/// chromedriver says which port it got from the system.
fn announced_port(driver: &mut Child) -> u16 {
    let output = driver.stdout.take().expect("its output is piped");
    let mut lines = BufReader::new(output).lines();
    let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
        let (_, port) = line.split_once("started successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    });
    // Read on, or it would stall once the pipe is full.
    std::thread::spawn(move || lines.for_each(drop));
    port.expect("chromedriver says on which port it listens")
}

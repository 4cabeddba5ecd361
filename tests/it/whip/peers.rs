//! Programs in Python that speak WHIP with aiortc, where that is installed.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};

use crate::support::studio::eventually;

/// A running script; it is killed when this is dropped.
pub struct Script {
    process: Child,
    input: Option<ChildStdin>,
    said: Arc<Mutex<Vec<String>>>,
}

/// A Python that has aiortc and NumPy, if there is one: that of `LENSCAST_TEST_PYTHON`, or `python3`.
pub fn python() -> Option<PathBuf> {
    let named = std::env::var_os("LENSCAST_TEST_PYTHON").map(PathBuf::from);
    let python = named.unwrap_or_else(|| PathBuf::from("python3"));
    let asked = Command::new(&python).args(["-c", "import aiortc, av, numpy"]).stderr(Stdio::null()).status();
    let found = asked.is_ok_and(|status| status.success());
    if !found {
        println!("SKIPPED: {} has no aiortc; name one that has with LENSCAST_TEST_PYTHON", python.display());
    }
    found.then_some(python)
}

impl Script {
    /// Starts one of the scripts beside this file.
    pub fn start(python: &Path, name: &str, arguments: &[&str]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/whip").join(name);
        let mut process = Command::new(python)
            .arg(script)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python was there a moment ago");
        let said = Arc::new(Mutex::new(Vec::new()));
        let (input, output) = (process.stdin.take(), process.stdout.take().expect("its output is piped"));
        let lines = Arc::clone(&said);
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                lines.lock().unwrap().push(line);
            }
        });
        Self { process, input, said }
    }

    pub fn order(&mut self, order: &str) {
        let input = self.input.as_mut().expect("it was not killed yet");
        writeln!(input, "{order}").expect("it still listens");
    }

    /// The newest line with this beginning, without it.
    pub fn said(&self, beginning: &str) -> Option<String> {
        let said = self.said.lock().unwrap();
        said.iter().rev().find_map(|line| line.strip_prefix(beginning)).map(|rest| rest.trim().to_owned())
    }

    pub fn wait_for(&self, beginning: &str) -> String {
        eventually(&format!("the script says `{beginning}`"), || self.said(beginning).is_some());
        self.said(beginning).expect("it was there a moment ago")
    }

    pub fn has_ended(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(Some(_)))
    }

    /// As if the power went.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        self.input = None;
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.kill();
    }
}

//! Programs in Python that speak WHIP, where what they need is installed.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};

use crate::support::python::python_with;
use crate::support::studio::eventually;

/// A running script; it is killed when this is dropped.
pub struct Script {
    process: Child,
    input: Option<ChildStdin>,
    said: Arc<Mutex<Vec<String>>>,
}

/// A Python that has aiortc and NumPy, if there is one.
pub fn python() -> Option<PathBuf> {
    python_with("aiortc, av, numpy")
}

impl Script {
    /// Starts a script, named from the folder of these tests.
    pub fn start(python: &Path, name: &str, arguments: &[&str]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it").join(name);
        let mut process = Command::new(python)
            .arg("-B")
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

//! A Python with modules that not every machine has.

use std::path::PathBuf;
use std::process::Command;

/// A Python that has these modules, if there is one: that of `LENSCAST_TEST_PYTHON`, which must have them, or `python3`.
pub fn python_with(modules: &str) -> Option<PathBuf> {
    let named = std::env::var_os("LENSCAST_TEST_PYTHON").map(PathBuf::from);
    let python = named.clone().unwrap_or_else(|| PathBuf::from("python3"));
    let asked = Command::new(&python).args(["-c", &format!("import {modules}")]).output();
    let found = asked.as_ref().is_ok_and(|output| output.status.success());
    if !found {
        let why = asked.map(|output| String::from_utf8_lossy(&output.stderr).into_owned());
        // Whoever names one wants to know; only a machine where nobody did may lack them.
        assert!(named.is_none(), "LENSCAST_TEST_PYTHON, {}, cannot import {modules}: {why:?}", python.display());
        println!("SKIPPED: {} cannot import {modules}; scripts/test installs them", python.display());
    }
    found.then_some(python)
}

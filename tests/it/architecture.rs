//! The layers and invariants of `ARCHITECTURE.md`, read off the source itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Which modules of ours each module may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("util", &[]),
    ("geometry", &[]),
    ("frame", &["geometry", "util"]),
    ("filter", &["frame", "geometry", "util"]),
    ("extend", &["filter", "frame", "geometry", "util"]),
    ("pipeline", &["filter", "frame", "geometry", "util"]),
    ("receive", &["frame", "geometry", "util"]),
    ("capture", &["receive", "frame", "geometry", "util"]),
    ("encode", &["frame", "geometry", "util"]),
    ("input", &["geometry", "util"]),
    ("publish", &["encode", "receive", "input", "filter", "frame", "geometry", "util"]),
    ("settings", &["capture", "filter", "geometry", "util"]),
    (
        "engine",
        &[
            "settings", "publish", "capture", "receive", "pipeline", "encode", "input", "filter", "frame", "geometry",
            "util",
        ],
    ),
    ("cli", &["engine", "settings", "capture", "pipeline", "filter", "frame", "geometry", "util"]),
    ("app", &["engine", "settings", "capture", "pipeline", "filter", "frame", "geometry", "util"]),
    ("start", &["app", "cli", "engine", "extend", "input", "settings"]),
];

/// Crates that only these modules, or files below these folders, may name.
const CONFINED: &[(&str, &[&str])] = &[
    ("egui", &["app"]),
    ("eframe", &["app"]),
    ("rfd", &["app"]),
    ("axum", &["publish"]),
    ("futures_util", &["publish"]),
    ("hyper", &["publish"]),
    ("hyper_util", &["publish"]),
    ("webrtc", &["publish"]),
    ("ureq", &["publish"]),
    ("rtc", &["publish"]),
    // `util::Latest` is a newtype over one of its channels, and nothing else of it.
    ("tokio", &["publish", "engine", "util"]),
    ("x11rb", &["capture", "input"]),
    ("xcap", &["capture"]),
    ("nokhwa", &["capture"]),
    ("enigo", &["input"]),
    ("zbus", &["input/wayland/"]),
    ("reis", &["input/wayland/"]),
    ("openh264", &["encode", "receive"]),
    ("vpx_sys", &["encode", "receive"]),
    ("turbojpeg", &["encode", "capture"]),
    ("tract_onnx", &["extend"]),
    ("clap", &["cli"]),
    ("anyhow", &["start", "engine", "cli", "app"]),
];

/// Modules that take the time as an argument and start nothing.
const PURE: &[&str] = &["geometry", "frame", "filter", "pipeline"];
/// Files of other modules for which the same holds.
const PURE_FILES: &[&str] = &[
    "input/mapper.rs",
    "input/baton.rs",
    "input/event.rs",
    "input/freshness.rs",
    "input/keys.rs",
    "input/local.rs",
    "input/wayland/keymap.rs",
    "input/wayland/places.rs",
    "input/x11/keymap.rs",
    "publish/protocol.rs",
    "engine/marks.rs",
    "publish/access.rs",
    "publish/admit/backoff.rs",
    "publish/admit/guests.rs",
    "publish/admit/requests.rs",
    "publish/roles.rs",
    "publish/peer/udp/description.rs",
    "publish/peer/udp/stun.rs",
    "encode/overload.rs",
    "publish/webrtc/congestion/estimate.rs",
    "publish/webrtc/congestion/ladder.rs",
    "publish/webrtc/congestion/pacer.rs",
    "publish/webrtc/congestion/policy.rs",
    "publish/webrtc/congestion/trend.rs",
];

pub fn source_files() -> Vec<(String, String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                files.push(described(&root, &path));
            }
        }
    }
    assert!(files.len() > 60, "the source is where it is looked for");
    files
}

/// Module, path below `src`, and the code without comments and without tests.
fn described(root: &Path, path: &PathBuf) -> (String, String, String) {
    let relative = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
    let module = relative.split(['/', '.']).next().unwrap().to_owned();
    let text = fs::read_to_string(path).unwrap();
    let code: Vec<&str> = text
        .lines()
        .take_while(|line| *line != "mod tests {")
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    (module, relative, code.join("\n"))
}

/// Every name that follows `crate::` or is grouped behind it.
fn uses_of_ours(code: &str) -> BTreeSet<String> {
    let name = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = BTreeSet::new();
    for (_, rest) in code.match_indices("crate::").map(|(at, found)| (at, &code[at + found.len()..])) {
        if let Some(group) = rest.strip_prefix('{') {
            let group = group.split('}').next().unwrap_or_default();
            found.extend(group.split(',').map(|part| name(part.trim())));
        } else {
            found.insert(name(rest));
        }
    }
    found
}

#[test]
fn modules_use_only_what_lies_below_them() {
    let known: BTreeSet<&str> = MAY_USE.iter().map(|(module, _)| *module).collect();
    for (module, path, code) in source_files() {
        if matches!(module.as_str(), "lib" | "main") {
            continue;
        }
        let (_, allowed) = MAY_USE.iter().find(|(name, _)| *name == module).unwrap_or_else(|| {
            panic!("src/{path}: the module `{module}` is not in the table of layers");
        });
        for used in uses_of_ours(&code) {
            let fine = used == module || !known.contains(used.as_str()) || allowed.contains(&used.as_str());
            assert!(fine, "src/{path} uses `{used}`, which `{module}` must not know");
        }
    }
}

#[test]
fn crates_stay_where_they_belong() {
    for (module, path, code) in source_files() {
        for (name, homes) in CONFINED {
            let named = [format!("use {name}::"), format!(" {name}::"), format!("({name}::"), format!("<{name}::")];
            let used = named.iter().any(|form| code.contains(form.as_str()));
            let is_home = |home: &&str| *home == module || (home.ends_with('/') && path.starts_with(*home));
            assert!(!used || homes.iter().any(is_home), "src/{path} names the crate `{name}`");
        }
    }
}

#[test]
fn pure_modules_have_no_clock_no_threads_and_no_files() {
    for (module, path, code) in source_files() {
        if !PURE.contains(&module.as_str()) && !PURE_FILES.contains(&path.as_str()) {
            continue;
        }
        // Of `std::net`, addresses are values and sockets are not.
        for impure in [
            "Instant::now",
            "SystemTime::now",
            "thread::spawn",
            "thread::sleep",
            "TcpListener",
            "TcpStream",
            "UdpSocket",
            "std::fs",
        ] {
            assert!(!code.contains(impure), "src/{path} is pure but says `{impure}`");
        }
    }
}

#[test]
fn unsafe_code_stands_only_where_the_system_or_a_c_library_is_called_and_says_why() {
    for (module, path, code) in source_files() {
        let is_unsafe = code.contains("unsafe {") || code.contains("unsafe impl") || code.contains("unsafe fn");
        // The processor counts as the system: its instructions are asked for when the program runs.
        let home = matches!(module.as_str(), "capture" | "input" | "encode" | "receive")
            || path == "app/renderer.rs"
            || path.starts_with("filter/simd/");
        assert!(!is_unsafe || home, "src/{path} has unsafe code");
        assert!(!is_unsafe || code.contains("unsafe_code, reason ="), "src/{path} has unsafe code without its reason");
    }
}

#[test]
fn no_file_is_too_long_to_read() {
    for (_, path, _) in source_files() {
        let length = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(&path)).unwrap();
        let lines = length.lines().count();
        assert!(lines <= 600, "src/{path} has {lines} lines; one concept a file");
    }
}

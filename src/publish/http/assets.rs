//! The viewer page, built into the program, so that it always fits the protocol and reads no file.

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use super::problem::Problem;

/// One file of the page.
pub struct Asset {
    pub name: &'static str,
    pub bytes: &'static [u8],
}

macro_rules! assets {
    ($($name:literal),* $(,)?) => {
        /// Every file in `assets/viewer/`; a test compares the two.
        pub const ASSETS: &[Asset] = &[$(Asset {
            name: $name,
            bytes: include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/viewer/", $name)),
        }),*];
    };
}

assets![
    "access.js",
    "baton.js",
    "canvas.js",
    "clock.js",
    "delay.js",
    "details.css",
    "details.js",
    "enter.js",
    "face.js",
    "hand.js",
    "http.js",
    "icon.svg",
    "index.html",
    "keyboard.js",
    "lock.js",
    "main.js",
    "mjpeg.js",
    "multipart.js",
    "pip.js",
    "player.js",
    "pointer-http.js",
    "pointer.js",
    "rtp.js",
    "screen.js",
    "session.js",
    "socket.js",
    "style.css",
    "touch.js",
    "tune.css",
    "tune.js",
    "view.js",
    "wake.js",
    "whep-stats.js",
    "whep.js",
];

/// The asset behind a path, `/favicon.ico` included, which browsers ask for by themselves.
pub fn find(path: &str) -> Option<&'static Asset> {
    let name = if path == "/favicon.ico" { "icon.svg" } else { path.strip_prefix("/viewer/")? };
    ASSETS.iter().find(|asset| asset.name == name)
}

/// `GET /`
pub fn page() -> Response {
    find("/viewer/index.html").map_or_else(nothing, Asset::answer)
}

/// `GET /favicon.ico`
pub async fn favicon() -> Response {
    find("/favicon.ico").map_or_else(nothing, Asset::answer)
}

/// `GET /viewer/NAME`
pub async fn asset(Path(name): Path<String>) -> Response {
    find(&format!("/viewer/{name}")).map_or_else(nothing, Asset::answer)
}

fn nothing() -> Response {
    Problem::new(404, "There is nothing at this address.").into_response()
}

impl Asset {
    fn answer(&self) -> Response {
        let kind = match self.name.rsplit_once('.').map(|(_, ending)| ending) {
            Some("html") => "text/html; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("svg") => "image/svg+xml",
            _ => "application/octet-stream",
        };
        // Asked for anew each time, so that an updated host and an old page never meet; they are small.
        ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")], self.bytes).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_page_is_built_in() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/viewer");
        let files = std::fs::read_dir(folder).expect("the page's folder is part of the source");
        let mut files: Vec<String> =
            files.map(|file| file.expect("it can be listed").file_name().to_string_lossy().into_owned()).collect();
        files.sort();
        let mut known: Vec<&str> = ASSETS.iter().map(|asset| asset.name).collect();
        known.sort_unstable();
        assert_eq!(files, known);
    }
}

//! What a viewer's `User-Agent` says in words short enough for a list.

use axum::http::HeaderMap;
use axum::http::header::USER_AGENT;

/// The longest name that a program may give itself, in characters.
const LONGEST: usize = 24;
/// The sign of each browser, the most particular first, because most of them claim to be the others as well.
const BROWSERS: &[(&str, &str)] = &[
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
];
const SYSTEMS: &[(&str, &str)] = &[
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
];
const PLAYERS: &[(&str, &str)] =
    &[("Lavf", "FFmpeg"), ("GStreamer", "GStreamer"), ("HomeAssistant", "Home Assistant"), ("LibVLC", "VLC")];

/// The name of whoever sent these headers, `None` where they don't say.
pub fn named_by(headers: &HeaderMap) -> Option<String> {
    headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).and_then(short)
}

/// `Chrome on Linux`, `VLC`, or what the program calls itself.
fn short(agent: &str) -> Option<String> {
    let find =
        |list: &[(&str, &'static str)]| list.iter().find(|(sign, _)| agent.contains(sign)).map(|(_, name)| *name);
    if let Some(player) = find(PLAYERS) {
        return Some(player.to_owned());
    }
    if agent.starts_with("Mozilla/") {
        return Some(match (find(BROWSERS), find(SYSTEMS)) {
            (Some(browser), Some(system)) => format!("{browser} on {system}"),
            (Some(one), None) | (None, Some(one)) => one.to_owned(),
            (None, None) => "Browser".to_owned(),
        });
    }
    // The first word without its version; what is no plain text is not for a list.
    let name: String =
        agent.split(['/', ' ']).next()?.chars().filter(|letter| letter.is_ascii_graphic()).take(LONGEST).collect();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_and_players_are_named_in_few_words() {
        let chrome =
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0.0.0 Safari/537.36";
        let safari =
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1";
        for (agent, name) in [
            (chrome, Some("Chrome on Linux")),
            (&format!("{chrome} Edg/149.0"), Some("Edge on Linux")),
            (safari, Some("Safari on iPhone")),
            ("VLC/3.0.20 LibVLC/3.0.20", Some("VLC")),
            ("Lavf/61.1.100", Some("FFmpeg")),
            ("python-requests/2.31", Some("python-requests")),
            ("Mozilla/4.0", Some("Browser")),
            ("", None),
        ] {
            assert_eq!(short(agent).as_deref(), name, "{agent}");
        }
        assert!(short(&"x".repeat(10_000)).is_some_and(|name| name.len() == LONGEST));
    }
}

//! Offers that do not say which number (SSRC) their packets will have, as GStreamer's makes them where its pipeline sets
//! none. The library can tell whose such packets are only where there is a single section, so the sound, to which nobody
//! listens anyway, is refused in them: port 0, as RFC 9429 has it (section 5.3.1).

use super::super::webrtc::offer::Section;

/// A section that the library never sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// What the answer says of it.
    section: String,
    /// Whether it is the first one; an answer keeps the order of its offer.
    is_first: bool,
}

/// Whether nothing says which packets belong to the section.
pub fn is_unnamed(section: &Section<'_>) -> bool {
    !section.attributes.iter().any(|line| line.starts_with("ssrc:"))
}

/// The offer without its sound.
pub fn without_sound(sdp: &str, sound: &Section<'_>, is_first: bool) -> (String, Refused) {
    let mid = sound.attributes.iter().find_map(|line| line.strip_prefix("mid:")).unwrap_or_default().trim();
    let mut lines: Vec<String> = Vec::new();
    let (mut is_sound, mut candidates) = (false, Vec::new());
    for line in sdp.lines() {
        if line.starts_with("m=") {
            is_sound = line.starts_with("m=audio");
        }
        if let Some(group) = line.strip_prefix("a=group:BUNDLE") {
            let others = group.split_whitespace().filter(|member| *member != mid);
            lines.push(others.fold("a=group:BUNDLE".to_owned(), |group, member| format!("{group} {member}")));
        } else if !is_sound {
            lines.push(line.to_owned());
        } else if line.starts_with("a=candidate:") {
            candidates.push(line.to_owned());
        }
    }
    // In a bundle only the first section needs to have them.
    if !lines.iter().any(|line| line.starts_with("a=candidate:")) {
        lines.append(&mut candidates);
    }
    let section = format!(
        "m=audio 0 UDP/TLS/RTP/SAVPF {}\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\na=inactive\r\n",
        sound.formats.join(" ")
    );
    (lines.iter().flat_map(|line| [line.as_str(), "\r\n"]).collect(), Refused { section, is_first })
}

impl Refused {
    /// The answer to the whole offer, from the one to what the library saw of it.
    pub fn put_into(&self, answer: &str) -> String {
        match answer.find("m=").filter(|_| self.is_first) {
            Some(first) => [&answer[..first], &self.section, &answer[first..]].concat(),
            None => [answer, &self.section].concat(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::webrtc::offer::sections;
    use super::*;

    const SESSION: &str = "v=0\r\na=group:BUNDLE sound picture\r\n";
    const SOUND: &str = "m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\na=mid:sound\r\na=sendonly\r\n";
    const CANDIDATE: &str = "a=candidate:1 1 udp 1 192.168.1.9 50001 typ host\r\n";
    const PICTURE: &str = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:picture\r\na=sendonly\r\n";

    #[test]
    fn sound_without_a_number_is_refused_where_it_stood() {
        for is_first in [true, false] {
            let sound = [SOUND, CANDIDATE].concat();
            let offer = if is_first { [SESSION, &sound, PICTURE] } else { [SESSION, PICTURE, &sound] }.concat();
            let found = sections(&offer).unwrap();
            let sound = found.iter().find(|section| section.kind == "audio").unwrap();
            assert!(is_unnamed(sound));
            let (rest, refused) = without_sound(&offer, sound, is_first);
            assert_eq!(rest, ["v=0\r\na=group:BUNDLE picture\r\n", PICTURE, CANDIDATE].concat());
            let answer = refused.put_into(&rest);
            let kinds: Vec<_> = sections(&answer).unwrap().iter().map(|section| (section.kind, section.port)).collect();
            let expected = if is_first { [("audio", "0"), ("video", "9")] } else { [("video", "9"), ("audio", "0")] };
            assert_eq!(kinds, expected);
            assert!(answer.contains("SAVPF 111 0\r\n") && answer.contains("a=mid:sound\r\na=inactive"));
        }
    }

    #[test]
    fn a_number_is_found() {
        let named = format!("{SESSION}{PICTURE}a=ssrc:12345 cname:me\r\n");
        assert!(!is_unnamed(&sections(&named).unwrap()[0]));
    }
}

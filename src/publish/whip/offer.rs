//! Reads what a publisher's offer has, before the WebRTC library sees it: pure, and it refuses early and in plain words.

use super::super::webrtc::offer::{OfferError, Section, for_library, sections};
use super::unnamed::{self, Refused};
use crate::receive::{Codec, Colors};

/// An offer that can be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// For the library: without the candidates that only the publisher can resolve, and without refused sound.
    pub sdp: String,
    pub video: OfferedVideo,
    /// Sound that would keep the library from telling whose packets come.
    pub refused: Option<Refused>,
    /// The payload type of Opus, if sound is offered; it is taken and thrown away.
    pub audio: Option<u8>,
}

/// The codec that was chosen, by the numbers the offer gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedVideo {
    pub codec: Codec,
    pub payload_type: u8,
    pub fmtp: String,
    pub rtx: Option<u8>,
    /// The number of the header extension that says what colours mean, if it is offered.
    pub colors_id: Option<u8>,
}

/// Takes the first codec of the offer that is `available`: the publisher knows best what it encodes well.
///
/// # Errors
/// When it is no offer, or none that can be taken whole.
pub fn read(sdp: &str, available: &[Codec]) -> Result<Offer, OfferError> {
    if !sdp.starts_with("v=0") {
        return Err(OfferError::Malformed("it does not begin with `v=0`"));
    }
    for needed in ["a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:"] {
        if !sdp.lines().any(|line| line.starts_with(needed)) {
            return Err(OfferError::Malformed("it lacks its ICE credentials or its fingerprint"));
        }
    }
    let sections = sections(sdp)?;
    let only = |kind| {
        let mut found = sections.iter().filter(move |section| section.kind == kind);
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(OfferError::Unsupported("it has more than one track for video, or for sound")),
            (found, None) => Ok(found),
        }
    };
    let (video, audio) = (only("video")?, only("audio")?);
    if sections.iter().any(|section| !matches!(section.kind, "video" | "audio")) {
        return Err(OfferError::Unsupported("it has a section that is neither video nor sound"));
    }
    let video = video.filter(|video| !video.is_refused());
    let video = video.ok_or(OfferError::Unsupported("it has no section for video"))?;
    for section in &sections {
        if section.attributes.iter().any(|line| matches!(*line, "recvonly" | "inactive")) {
            return Err(OfferError::Unsupported("one of its sections does not send"));
        }
        if section.attributes.iter().any(|line| line.starts_with("simulcast:")) {
            return Err(OfferError::Unsupported("it sends several sizes at once (simulcast)"));
        }
    }
    let chosen = video.formats.iter().find_map(|format| codec(video, format, available));
    let chosen =
        chosen.ok_or(OfferError::Unsupported("it has none of the codecs this host can show: H.264 and VP8"))?;
    let opus = audio.map(|audio| {
        let opus = audio.formats.iter().find(|format| {
            audio.encoding(format).is_some_and(|name| name.to_ascii_lowercase().starts_with("opus/48000"))
        });
        opus.and_then(|format| format.parse().ok()).ok_or(OfferError::Unsupported("its sound is not Opus"))
    });
    let mut offer = Offer { sdp: for_library(sdp), video: chosen, refused: None, audio: opus.transpose()? };
    if let Some(sound) = audio.filter(|_| unnamed::is_unnamed(video)) {
        let is_first = sections.first().is_some_and(|first| first.kind == "audio");
        let (sdp, refused) = unnamed::without_sound(&offer.sdp, sound, is_first);
        (offer.sdp, offer.refused, offer.audio) = (sdp, Some(refused), None);
    }
    Ok(offer)
}

fn codec(section: &Section<'_>, format: &str, available: &[Codec]) -> Option<OfferedVideo> {
    let payload_type = format.parse().ok().filter(|number: &u8| *number < 128)?;
    let name = section.encoding(format)?;
    let fmtp = section.fmtp(format).unwrap_or_default();
    let codec = available.iter().copied().find(|codec| match codec {
        Codec::H264 => name.eq_ignore_ascii_case("H264/90000") && is_decodable(fmtp),
        Codec::Vp8 => name.eq_ignore_ascii_case("VP8/90000"),
    })?;
    Some(OfferedVideo {
        codec,
        payload_type,
        fmtp: fmtp.to_owned(),
        rtx: section.rtx(format),
        colors_id: colors_id(section),
    })
}

/// The extension of browsers that says what colours mean; a canvas comes in BT.709, which VP8 itself can't say.
pub const COLORS_URI: &str = "http://www.webrtc.org/experiments/rtp-hdrext/color-space";

fn colors_id(section: &Section<'_>) -> Option<u8> {
    section.attributes.iter().find_map(|line| {
        let (id, uri) = line.strip_prefix("extmap:")?.split_once(' ')?;
        (uri.trim() == COLORS_URI).then(|| id.parse().ok()).flatten()
    })
}

/// What the extension says: primaries, transfer, matrix, and in the upper half of the last byte the range.
pub fn colors(said: &[u8]) -> Option<Colors> {
    match said {
        // Matrix 2 is "unspecified".
        [_, _, matrix, range, ..] if *matrix != 2 => {
            Some(Colors { bt709: *matrix == 1, full_range: range >> 4 & 3 == 2 })
        }
        _ => None,
    }
}

/// Baseline, main and high with 8 bits a sample, in single units or in fragments.
fn is_decodable(fmtp: &str) -> bool {
    let parameter = |name: &str| {
        fmtp.split(';').find_map(|parameter| parameter.trim().split_once('=').filter(|(known, _)| *known == name))
    };
    let profile = parameter("profile-level-id").map_or("42", |(_, profile)| profile);
    let known = ["42", "4d", "4D", "64"].iter().any(|known| profile.starts_with(known));
    known && parameter("packetization-mode").is_none_or(|(_, mode)| matches!(mode, "0" | "1"))
}

/// The ICE credentials of a fragment that asks for a restart.
pub fn credentials(fragment: &str) -> Option<(String, String)> {
    let value = |name| fragment.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned());
    Some((value("a=ice-ufrag:")?, value("a=ice-pwd:")?))
}

/// The same description with other ICE credentials, and only the candidates of the fragment.
pub fn restarted(sdp: &str, fragment: &str, ufrag: &str, pwd: &str) -> String {
    let candidates: Vec<&str> = fragment.lines().filter(|line| line.starts_with("a=candidate:")).collect();
    let mut lines = Vec::new();
    let mut placed = false;
    for line in sdp.lines() {
        if line.starts_with("a=ice-ufrag:") {
            lines.push(format!("a=ice-ufrag:{ufrag}"));
        } else if line.starts_with("a=ice-pwd:") {
            lines.push(format!("a=ice-pwd:{pwd}"));
        } else if !line.starts_with("a=candidate:") && line != "a=end-of-candidates" {
            lines.push(line.to_owned());
        }
        if line.starts_with("a=mid:") && !placed {
            placed = true;
            lines.extend(candidates.iter().map(|line| (*line).to_owned()));
        }
    }
    let restarted: String = lines.iter().flat_map(|line| [line.as_str(), "\r\n"]).collect();
    for_library(&restarted)
}

/// What a restart is answered with: the credentials and candidates of a description.
pub fn fragment_of(sdp: &str) -> String {
    let find = |name: &str| sdp.lines().find(|line| line.starts_with(name));
    let credentials = [find("a=ice-ufrag:"), find("a=ice-pwd:")];
    let section = [find("m="), find("a=mid:")];
    let candidates = sdp.lines().filter(|line| line.starts_with("a=candidate:"));
    let mut lines: Vec<&str> = credentials.into_iter().chain(section).flatten().collect();
    for candidate in candidates {
        if !lines.contains(&candidate) {
            lines.push(candidate);
        }
    }
    lines.push("a=end-of-candidates");
    lines.iter().flat_map(|line| [*line, "\r\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::webrtc::offer::EXAMPLE;
    use super::*;

    fn example() -> String {
        EXAMPLE.replace("a=recvonly", "a=sendonly")
    }

    #[test]
    fn the_publishers_first_codec_is_taken() {
        let offer = read(&example(), &[Codec::H264, Codec::Vp8]).unwrap();
        assert_eq!((offer.video.codec, offer.video.payload_type, offer.video.rtx), (Codec::Vp8, 96, Some(97)));
        let offer = read(&example(), &[Codec::H264]).unwrap();
        assert_eq!((offer.video.codec, offer.video.payload_type), (Codec::H264, 102));
        assert_eq!(offer.audio, None);
    }

    #[test]
    fn sound_is_taken_where_it_is_opus() {
        let named = || format!("{}a=ssrc:1 cname:me\r\n", example());
        let with =
            |map: &str| format!("{}m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:1\r\na=rtpmap:111 {map}\r\n", named());
        assert_eq!(read(&with("opus/48000/2"), Codec::available()).unwrap().audio, Some(111));
        assert!(matches!(read(&with("PCMU/8000"), Codec::available()), Err(OfferError::Unsupported(_))));
    }

    #[test]
    fn what_a_browser_says_of_its_colours_is_heard() {
        let extension = format!("a=sendonly\r\na=extmap:8 {COLORS_URI}");
        let offer = read(&example().replace("a=sendonly", &extension), Codec::available()).unwrap();
        assert_eq!(offer.video.colors_id, Some(8));
        assert_eq!(colors(&[1, 1, 1, 0x10]), Some(Colors { bt709: true, full_range: false }));
        assert_eq!(colors(&[6, 6, 6, 0x20]), Some(Colors { bt709: false, full_range: true }));
        assert_eq!((colors(&[1, 1, 2, 0x10]), colors(&[1])), (None, None));
    }

    #[test]
    fn what_can_not_be_taken_whole_is_refused() {
        let twice = format!("{}m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\n", example());
        let data = format!("{}m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n", example());
        for offer in [&twice, &data, EXAMPLE, &example().replace("m=video", "m=audio")] {
            assert!(matches!(read(offer, Codec::available()), Err(OfferError::Unsupported(_))), "{offer}");
        }
        for offer in ["", "v=0\r\n", &example().replace("a=ice-pwd", "a=ice")] {
            assert!(matches!(read(offer, Codec::available()), Err(OfferError::Malformed(_))), "{offer}");
        }
    }

    #[test]
    fn a_restart_changes_credentials_and_candidates_and_nothing_else() {
        let fragment = "a=ice-ufrag:new1\r\na=ice-pwd:newnewnewnewnewnewnewnew\r\nm=video 9 RTP/AVP 0\r\na=mid:0\r\n\
            a=candidate:9 1 udp 7 10.0.0.9 4000 typ host\r\n";
        let (ufrag, pwd) = credentials(fragment).unwrap();
        let sdp = restarted(&example(), fragment, &ufrag, &pwd);
        assert!(sdp.contains("a=ice-ufrag:new1\r\n") && sdp.contains("10.0.0.9") && !sdp.contains("192.168.1.9"));
        assert_eq!(read(&sdp, Codec::available()).unwrap().video.codec, Codec::Vp8);
        let answer = fragment_of(&sdp);
        assert!(answer.starts_with("a=ice-ufrag:new1\r\na=ice-pwd:") && answer.contains("a=mid:0\r\n"));
    }
}

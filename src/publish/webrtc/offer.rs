//! Reads what an offer asks for, before the WebRTC library sees it: pure, and it refuses early and in plain words.

use crate::encode::VideoCodec;

/// An offer that can be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Without the candidates that only the asking browser can resolve.
    pub sdp: String,
    pub codec: OfferedCodec,
}

/// The codec that was chosen, by the numbers the offer gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedCodec {
    pub codec: VideoCodec,
    pub payload_type: u8,
    /// The format parameters as they were offered.
    pub fmtp: String,
    /// The payload type of its retransmissions, if they are offered.
    pub rtx: Option<u8>,
}

/// Why an offer is refused. The sentence goes back to the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// It is not an offer.
    #[error("This is not a WebRTC offer: {0}.")]
    Malformed(&'static str),
    /// It is one, of a shape that is not served.
    #[error("This offer can't be served: {0}.")]
    Unsupported(&'static str),
}

/// One `m=` section.
#[derive(Debug, Default)]
pub struct Section<'a> {
    pub kind: &'a str,
    pub port: &'a str,
    pub formats: Vec<&'a str>,
    pub attributes: Vec<&'a str>,
}

/// Chooses the first of the `available` codecs that the offer has; `forced` leaves no other choice. The order is the
/// host's, who pays for the encoding: browsers list VP8 first, which costs a third more than H.264.
///
/// # Errors
/// When it is no offer, or none that can be served.
pub fn read(sdp: &str, available: &[VideoCodec], forced: Option<VideoCodec>) -> Result<Offer, OfferError> {
    if !sdp.starts_with("v=0") {
        return Err(OfferError::Malformed("it does not begin with `v=0`"));
    }
    for needed in ["a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:"] {
        if !sdp.lines().any(|line| line.starts_with(needed)) {
            return Err(OfferError::Malformed("it lacks its ICE credentials or its fingerprint"));
        }
    }
    let sections = sections(sdp)?;
    let of_kind = |kind| sections.iter().filter(move |section| section.kind == kind);
    if of_kind("audio").count() > 1 || of_kind("application").count() > 1 {
        return Err(OfferError::Unsupported("it has more than one section for audio or for data"));
    }
    let mut videos = of_kind("video");
    let video = match (videos.next(), videos.next()) {
        (Some(video), None) if !video.is_refused() => video,
        (Some(_), Some(_)) => return Err(OfferError::Unsupported("it has more than one section for video")),
        _ => return Err(OfferError::Unsupported("it has no section for video")),
    };
    if video.attributes.iter().any(|line| matches!(*line, "sendonly" | "inactive")) {
        return Err(OfferError::Unsupported("its video section does not receive"));
    }
    let wanted: Vec<VideoCodec> =
        available.iter().copied().filter(|codec| forced.is_none_or(|forced| forced == *codec)).collect();
    if wanted.is_empty() {
        return Err(OfferError::Unsupported("this host has no encoder for the codec that was asked for"));
    }
    let offered = |codec: &VideoCodec| video.formats.iter().find_map(|format| video.codec(format, &[*codec]));
    let codec = wanted.iter().find_map(offered);
    let codec = codec.ok_or(OfferError::Unsupported("it has none of the codecs this host can send"))?;
    Ok(Offer { sdp: for_library(sdp), codec })
}

/// The `m=` sections of a description, in their order.
///
/// # Errors
/// When a media line is cut short.
pub fn sections(sdp: &str) -> Result<Vec<Section<'_>>, OfferError> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    for line in sdp.lines() {
        if let Some(media) = line.strip_prefix("m=") {
            let mut words = media.split_whitespace();
            let (Some(kind), Some(port), Some(_protocol)) = (words.next(), words.next(), words.next()) else {
                return Err(OfferError::Malformed("a media line is cut short"));
            };
            sections.push(Section { kind, port, formats: words.collect(), attributes: Vec::new() });
        } else if let (Some(section), Some(attribute)) = (sections.last_mut(), line.strip_prefix("a=")) {
            section.attributes.push(attribute);
        }
    }
    Ok(sections)
}

const BUNDLE_ONLY: &str = "bundle-only";

impl Section<'_> {
    /// Whether the offer has the section only to keep its place.
    pub fn is_refused(&self) -> bool {
        self.port == "0" && !self.attributes.contains(&BUNDLE_ONLY)
    }

    /// The codec behind a payload type, if it is one of those wanted.
    fn codec(&self, format: &str, wanted: &[VideoCodec]) -> Option<OfferedCodec> {
        let payload_type = format.parse().ok().filter(|number: &u8| *number < 128)?;
        let name = self.encoding(format)?;
        let fmtp = self.fmtp(format).unwrap_or_default();
        let codec = wanted.iter().copied().find(|codec| match codec {
            VideoCodec::H264 => name.eq_ignore_ascii_case("H264/90000") && is_baseline(fmtp),
            VideoCodec::Vp8 => name.eq_ignore_ascii_case("VP8/90000"),
        })?;
        Some(OfferedCodec { codec, payload_type, fmtp: fmtp.to_owned(), rtx: self.rtx(format) })
    }

    /// The payload type that retransmissions of a format have.
    pub fn rtx(&self, format: &str) -> Option<u8> {
        let apt = format!("apt={format}");
        let rtx = self.formats.iter().find(|other| {
            self.encoding(other).is_some_and(|name| name.eq_ignore_ascii_case("rtx/90000"))
                && self.fmtp(other).is_some_and(|fmtp| fmtp.split(';').any(|parameter| parameter.trim() == apt))
        });
        rtx.and_then(|rtx| rtx.parse().ok())
    }

    /// The name and clock rate of a format, such as `VP8/90000`.
    pub fn encoding(&self, format: &str) -> Option<&str> {
        self.about("rtpmap:", format)
    }

    /// The parameters of a format.
    pub fn fmtp(&self, format: &str) -> Option<&str> {
        self.about("fmtp:", format)
    }

    fn about(&self, attribute: &str, format: &str) -> Option<&str> {
        self.attributes.iter().find_map(|line| {
            let (of, value) = line.strip_prefix(attribute)?.split_once(' ')?;
            (of == format).then(|| value.trim())
        })
    }
}

/// Whether a receiver with these parameters takes constrained baseline in fragments.
fn is_baseline(fmtp: &str) -> bool {
    let parameter = |name: &str| {
        fmtp.split(';').find_map(|parameter| parameter.trim().split_once('=').filter(|(known, _)| *known == name))
    };
    let profile = parameter("profile-level-id").map_or("42", |(_, profile)| profile);
    parameter("packetization-mode").is_some_and(|(_, mode)| mode == "1") && profile.starts_with("42")
}

/// The description as the library takes it. A browser hides its addresses behind `.local` names; it finds the host instead
/// of the other way round. And a section that is only there in a bundle has port 0 (RFC 9143, section 7.2.1), which the
/// library would take for refused.
pub fn for_library(sdp: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut media = None;
    for line in sdp.lines() {
        if line.starts_with("m=") {
            media = Some(lines.len());
        }
        if line.strip_prefix("a=") == Some(BUNDLE_ONLY) {
            if let Some(media) = media {
                lines[media] = lines[media].replacen(" 0 ", " 9 ", 1);
            }
        } else if !line.starts_with("a=candidate:") || is_usable_candidate(line) {
            lines.push(line.to_owned());
        }
    }
    lines.iter().flat_map(|line| [line.as_str(), "\r\n"]).collect()
}

/// Whether a candidate line names an address that can be reached from here.
pub fn is_usable_candidate(line: &str) -> bool {
    let mut words = line.split_whitespace().skip(2);
    let udp = words.next().is_some_and(|transport| transport.eq_ignore_ascii_case("udp"));
    udp && words.nth(1).is_some_and(|address| address.parse::<std::net::IpAddr>().is_ok())
}

/// What a browser offers, cut down to what matters here; for the tests of other modules too.
#[cfg(test)]
pub const EXAMPLE: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103 106\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\n\
    a=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=fingerprint:sha-256 00:11\r\na=setup:actpass\r\na=mid:0\r\n\
    a=recvonly\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n\
    a=rtpmap:102 H264/90000\r\n\
    a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f\r\n\
    a=rtpmap:103 H264/90000\r\n\
    a=fmtp:103 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n\
    a=rtpmap:106 rtx/90000\r\na=fmtp:106 apt=103\r\n\
    a=candidate:1 1 udp 2113937151 3b2a.local 50000 typ host\r\n\
    a=candidate:2 1 udp 2113937151 192.168.1.9 50001 typ host\r\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_first_codec_that_the_offer_has_is_chosen() {
        let chosen = |available: &[_], forced| read(EXAMPLE, available, forced).map(|offer| offer.codec);
        let vp8 = OfferedCodec { codec: VideoCodec::Vp8, payload_type: 96, fmtp: String::new(), rtx: Some(97) };
        assert_eq!(chosen(&[VideoCodec::Vp8, VideoCodec::H264], None), Ok(vp8.clone()));
        assert_eq!(chosen(&VideoCodec::ALL, Some(VideoCodec::Vp8)), Ok(vp8));
        let h264 = chosen(&VideoCodec::ALL, None).expect("the offer has it");
        assert_eq!((h264.codec, h264.payload_type, h264.rtx), (VideoCodec::H264, 103, Some(106)));
        assert_eq!(chosen(&[VideoCodec::H264], None), Ok(h264));
        assert!(matches!(chosen(&[VideoCodec::H264], Some(VideoCodec::Vp8)), Err(OfferError::Unsupported(_))));
    }

    #[test]
    fn names_that_only_the_browser_knows_are_taken_out() {
        let sdp = read(EXAMPLE, &VideoCodec::ALL, None).expect("it is an offer").sdp;
        assert!(!sdp.contains(".local"));
        assert!(sdp.contains("192.168.1.9"));
    }

    #[test]
    fn a_section_that_is_only_there_in_a_bundle_is_no_refused_one() {
        let refused = EXAMPLE.replace("m=video 9 ", "m=video 0 ");
        assert!(read(&refused, &VideoCodec::ALL, None).is_err());
        let bundled = refused.replace("a=mid:0\r\n", "a=mid:0\r\na=bundle-only\r\n");
        let offer = read(&bundled, &VideoCodec::ALL, None).expect("it is an offer");
        assert_eq!(offer, read(EXAMPLE, &VideoCodec::ALL, None).expect("it is an offer"));
    }

    #[test]
    fn what_can_not_be_served_is_told_from_what_is_no_offer() {
        let refused = |sdp: &str| read(sdp, &VideoCodec::ALL, None).expect_err("it has to be refused");
        for malformed in ["", "hello", "v=0\r\n", &EXAMPLE.replace("a=fingerprint", "a=finger")] {
            assert!(matches!(refused(malformed), OfferError::Malformed(_)), "{malformed}");
        }
        let twice = format!("{EXAMPLE}m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\n");
        for unsupported in [
            twice.as_str(),
            &EXAMPLE.replace("m=video", "m=audio"),
            &EXAMPLE.replace("a=recvonly", "a=sendonly"),
            &EXAMPLE.replace("VP8", "VP9").replace("H264", "H265"),
        ] {
            assert!(matches!(refused(unsupported), OfferError::Unsupported(_)), "{unsupported}");
        }
    }
}

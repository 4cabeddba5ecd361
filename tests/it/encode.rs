//! What the encoders write is the picture they were given, as decoders that nobody here wrote see it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lenscast::capture::{PATTERN_SIZE, draw_pattern};
use lenscast::encode::{EncodedVideo, Rung, VideoCodec, VideoConfig, VideoHub, VideoSink, encode_jpeg, open_codec};
use lenscast::frame::{Frame, FrameSink, FrameTimes, PixelFormat};
use lenscast::geometry::{Geometry, Size};
use lenscast::util::{Demand, Latest};
use openh264::decoder::Decoder;
use openh264::formats::YUVSource;

use crate::support::studio::{Scene, eventually, scene};

/// The upper left part of the test pattern.
fn frame(size: Size, number: u32, format: PixelFormat) -> Frame {
    let mut whole = vec![0; PATTERN_SIZE.pixels() * 4];
    draw_pattern(number, &mut whole);
    let mut pixels = Vec::with_capacity(size.pixels() * 4);
    for row in whole.chunks_exact(PATTERN_SIZE.width as usize * 4).take(size.height as usize) {
        for pixel in row.chunks_exact(4).take(size.width as usize) {
            match format {
                PixelFormat::Rgba => pixels.extend_from_slice(pixel),
                PixelFormat::Bgrx => pixels.extend_from_slice(&[pixel[2], pixel[1], pixel[0], 0]),
            }
        }
    }
    let captured = Instant::now();
    Frame {
        id: u64::from(number),
        size,
        format,
        pixels: Arc::new(pixels.into()),
        times: FrameTimes { captured, filtered: Some(captured) },
        geometry: Arc::new(Geometry::untouched(1, size, None)),
    }
}

/// Peak signal-to-noise ratio in decibels over all three channels.
fn psnr(frame: &Frame, rgb: impl Fn(u32, u32) -> [u8; 3]) -> f64 {
    let mut squares = 0.0;
    for y in 0..frame.size.height {
        for x in 0..frame.size.width {
            let (given, decoded) = (frame.rgba(x, y), rgb(x, y));
            squares += (0..3).map(|c| (f64::from(given[c]) - f64::from(decoded[c])).powi(2)).sum::<f64>();
        }
    }
    10.0 * (255.0_f64.powi(2) / (squares / (frame.size.pixels() * 3) as f64)).log10()
}

#[test]
fn a_jpeg_shows_the_picture_at_any_size_and_in_both_orders() {
    for format in [PixelFormat::Rgba, PixelFormat::Bgrx] {
        for size in [PATTERN_SIZE, Size::new(639, 359), Size::new(17, 3), Size::new(1, 1)] {
            let frame = frame(size, 77, format);
            let jpeg = encode_jpeg(&frame, 90).unwrap();
            let decoded = image::load_from_memory(&jpeg).unwrap().into_rgb8();
            assert_eq!((decoded.width(), decoded.height()), (size.width, size.height));
            let quality = psnr(&frame, |x, y| decoded.get_pixel(x, y).0);
            assert!(quality > 28.0, "{size} {format:?}: {quality:.1} dB");
        }
    }
}

#[test]
fn a_jpeg_is_baseline_without_metadata() {
    let jpeg = encode_jpeg(&frame(Size::new(64, 48), 1, PixelFormat::Bgrx), 80).unwrap();
    assert!(jpeg.starts_with(&[0xFF, 0xD8]) && jpeg.ends_with(&[0xFF, 0xD9]));
    assert!(jpeg.windows(2).any(|marker| marker == [0xFF, 0xC0]), "SOF0 marks a baseline JPEG");
    assert!(!jpeg.windows(2).any(|marker| marker == [0xFF, 0xE1]), "no EXIF");
}

#[test]
fn a_picture_too_large_for_jpeg_is_an_error() {
    let size = Size::new(70_000, 1);
    let narrow = frame(Size::new(1, 1), 1, PixelFormat::Rgba);
    let wide = Frame { size, pixels: Arc::new(vec![0; size.pixels() * 4].into()), ..narrow };
    assert!(encode_jpeg(&wide, 80).is_err());
}

#[test]
fn h264_decodes_to_the_picture_and_makes_a_keyframe_when_asked() {
    let mut encoder = open_codec(VideoCodec::H264, VideoConfig { bitrate_kbps: 8_000, fps: 30 }).unwrap();
    let mut decoder = Decoder::new().unwrap();
    let mut last = 0.0;
    for number in 0..12 {
        let frame = frame(PATTERN_SIZE, number, PixelFormat::Bgrx);
        let mut data = Vec::new();
        let bits = encoder.encode(&frame, number == 8, &mut data).unwrap();
        assert_eq!(bits.keyframe, matches!(number, 0 | 8), "frame {number}");
        assert!(data.starts_with(&[0, 0, 0, 1]), "Annex B");
        let Some(picture) = decoder.decode(&data).unwrap() else { continue };
        assert_eq!(picture.dimensions(), (1_280, 720));
        let (luma, stride) = (picture.y().to_vec(), picture.strides().0);
        // Greys of the ramp: luma in limited range alone says what they are.
        last = psnr_of_ramp(&frame, &luma, stride);
    }
    assert!(last > 30.0, "{last:.1} dB");
}

/// The grey ramp of the pattern, rows 400 to 500.
fn psnr_of_ramp(frame: &Frame, luma: &[u8], stride: usize) -> f64 {
    let (mut squares, mut count) = (0.0, 0.0);
    for y in 410..490_u32 {
        for x in 0..1_280_u32 {
            let grey = (f64::from(luma[y as usize * stride + x as usize]) - 16.0) * 255.0 / 219.0;
            squares += (grey - f64::from(frame.rgba(x, y)[0])).powi(2);
            count += 1.0;
        }
    }
    10.0 * (255.0_f64.powi(2) / (squares / count)).log10()
}

#[cfg(feature = "vp8")]
#[test]
fn vp8_starts_with_a_keyframe_of_the_right_size_and_makes_another_when_asked() {
    let mut encoder = open_codec(VideoCodec::Vp8, VideoConfig { bitrate_kbps: 8_000, fps: 30 }).unwrap();
    for number in 0..6 {
        let size = if number < 4 { Size::new(640, 360) } else { Size::new(321, 200) };
        let mut data = Vec::new();
        let bits = encoder.encode(&frame(size, number, PixelFormat::Rgba), number == 2, &mut data).unwrap();
        assert_eq!(bits.keyframe, matches!(number, 0 | 2 | 4), "frame {number}");
        // RFC 6386, 9.1: the lowest bit of the frame tag is 0 for a keyframe, whose size follows the start code.
        assert_eq!(data[0] & 1 == 0, bits.keyframe);
        if bits.keyframe {
            assert_eq!(data[3..6], [0x9D, 0x01, 0x2A]);
            let side = |at: usize| u32::from(u16::from_le_bytes([data[at], data[at + 1]]) & 0x3FFF);
            assert_eq!((side(6), side(8)), (bits.size.width, bits.size.height));
            assert_eq!((bits.size.width, bits.size.height), (size.width & !1, size.height & !1));
        }
    }
}

#[test]
fn another_bitrate_counts_at_once_and_needs_no_keyframe() {
    let codecs: &[VideoCodec] = if cfg!(feature = "vp8") { &VideoCodec::ALL } else { &[VideoCodec::H264] };
    for &codec in codecs {
        let mut encoder = open_codec(codec, VideoConfig { bitrate_kbps: 2_000, fps: 30 }).unwrap();
        let geometry = Arc::new(Geometry::untouched(1, Scene::Rich.size(), None));
        let mut number = 0;
        let mut rates = Vec::new();
        for kbps in [2_000, 600, 3_000] {
            encoder.set_bitrate(kbps).unwrap();
            let mut bytes = 0;
            // The first second is for the rate control to find its way.
            for counted in [false, true, true] {
                for _ in 0..30 {
                    let mut data = Vec::new();
                    let bits = encoder.encode(&scene(Scene::Rich, number, &geometry), false, &mut data).unwrap();
                    assert!(!bits.keyframe || number == 0, "{codec:?} makes a keyframe at {number}");
                    bytes += if counted { data.len() } else { 0 };
                    number += 1;
                }
            }
            rates.push(bytes as f64 * 8.0 / 2_000.0 / f64::from(kbps));
        }
        println!("{codec:?}: {rates:.2?} of what was asked for");
        assert!(rates.iter().all(|share| (0.6..1.25).contains(share)), "{codec:?}: {rates:?}");
    }
}

#[derive(Default)]
struct Keyframes(AtomicU64);

impl VideoSink for Keyframes {
    fn encoded(&self, frame: EncodedVideo) {
        self.0.fetch_add(u64::from(frame.keyframe), Ordering::Relaxed);
    }
}

#[test]
fn a_storm_of_keyframe_requests_is_answered_twice_a_second() {
    let demand = Arc::new(Demand::default());
    let config = Latest::new(VideoConfig { bitrate_kbps: 1_000, fps: 30 });
    let hub = VideoHub::start(VideoCodec::H264, &demand, &config.reader());
    let keyframes = Arc::new(Keyframes::default());
    hub.set_output(Arc::clone(&keyframes) as Arc<dyn VideoSink>);
    let begun = Instant::now();
    let _ticket = hub.want(Rung::Full);
    for number in 0..400 {
        hub.request_keyframe(Rung::Full);
        hub.offer(&Arc::new(frame(Size::new(64, 48), number, PixelFormat::Rgba)));
        std::thread::sleep(Duration::from_millis(5));
    }
    hub.stop(Instant::now() + Duration::from_secs(2));
    let (made, half_seconds) = (keyframes.0.load(Ordering::Relaxed), begun.elapsed().as_millis() as u64 / 500);
    assert!(made >= 2 && made <= half_seconds + 1, "{made} keyframes in {half_seconds} half seconds");
}

#[derive(Default)]
struct Written(Mutex<Vec<EncodedVideo>>);

impl VideoSink for Written {
    fn encoded(&self, frame: EncodedVideo) {
        self.0.lock().unwrap().push(frame);
    }
}

#[test]
fn each_size_is_encoded_once_for_all_who_watch_it_and_not_at_all_for_nobody() {
    let codecs: &[VideoCodec] = if cfg!(feature = "vp8") { &VideoCodec::ALL } else { &[VideoCodec::H264] };
    for &codec in codecs {
        let demand = Arc::new(Demand::default());
        let config = Latest::new(VideoConfig { bitrate_kbps: 4_000, fps: 30 });
        let hub = VideoHub::start(codec, &demand, &config.reader());
        let written = Arc::new(Written::default());
        hub.set_output(Arc::clone(&written) as Arc<dyn VideoSink>);
        let sizes = || {
            let frames = std::mem::take(&mut *written.0.lock().unwrap());
            frames.iter().map(|frame| (frame.frame_id, frame.rung, frame.size)).collect::<Vec<_>>()
        };
        let mut number = 0;
        // Without a picture that moves, the last one is sharpened a few times, which is not of interest here.
        let mut show = |wanted: &[Rung]| {
            number += 1;
            hub.offer(&Arc::new(frame(Size::new(642, 362), number, PixelFormat::Bgrx)));
            let written = &written;
            eventually("all that is wanted is written", || {
                let frames = written.0.lock().unwrap();
                wanted
                    .iter()
                    .all(|rung| frames.iter().any(|frame| frame.frame_id == u64::from(number) && frame.rung == *rung))
            });
        };
        let (first, second) = (hub.want(Rung::Half), hub.want(Rung::Half));
        let quarter = hub.want(Rung::Quarter);
        (0..4).for_each(|_| show(&[Rung::Half, Rung::Quarter]));
        let seen = sizes();
        for (rung, size) in [(Rung::Half, Size::new(320, 180)), (Rung::Quarter, Size::new(160, 90))] {
            let of_rung: Vec<_> = seen.iter().filter(|(_, of, _)| *of == rung).collect();
            assert!(of_rung.iter().all(|(_, _, of)| *of == size), "{codec:?} {of_rung:?}");
            assert_eq!(
                hub.stats_of(rung).encoded,
                of_rung.len() as u64,
                "{codec:?} {rung:?}: two watch, one is encoded"
            );
        }
        assert_eq!(hub.stats_of(Rung::Full).encoded, 0, "nobody watches the full size");
        assert_eq!((hub.stats_of(Rung::Half).viewers, hub.stats().viewers), (2, 3));

        drop((first, second));
        let before = hub.stats_of(Rung::Half).encoded;
        (0..4).for_each(|_| show(&[Rung::Quarter]));
        assert!(hub.stats_of(Rung::Half).encoded <= before + 1, "one may have been under way");
        drop(quarter);
        assert!(!demand.is_wanted());
        hub.stop(Instant::now() + Duration::from_secs(2));
    }
}

//! MJPEG byte by byte, and as FFmpeg reads it.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::support::studio::{SECRET, Server, Studio, eventually};
use crate::support::wire::{Stream, ask, open};

fn stream(server: &Server, path: &str) -> Stream {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {SECRET}\r\n\r\n");
    open(server.publisher.address(), &request)
}

#[test]
fn the_stream_is_what_every_client_expects_to_the_byte() {
    let (server, jpegs) = Server::with_test_jpegs();
    for path in ["/stream", "/video_feed", "/stream.mjpg", "/?action=stream"] {
        jpegs.publish(7, b"\xff\xd8 a picture \xff\xd9".to_vec());
        let mut stream = stream(&server, path);
        assert_eq!(stream.status, 200);
        let kind = stream.header("content-type").expect("a stream has a type").to_owned();
        let boundary = kind.strip_prefix("multipart/x-mixed-replace; boundary=").expect("the type is this one");
        assert!(boundary.len() >= 32 && !boundary.starts_with('-') && !boundary.contains('"'));
        assert_eq!(stream.header("cache-control"), Some("no-store"));
        assert_eq!(stream.header("connection"), Some("close"));
        assert_eq!(stream.header("x-accel-buffering"), Some("no"));
        assert_eq!(stream.header("transfer-encoding"), None);

        assert_eq!(stream.line(), format!("--{boundary}\r\n"));
        let head = stream.head();
        assert_eq!(head[0], "Content-Type: image/jpeg");
        assert_eq!(head[1], "Content-Length: 15");
        let time = head[2].strip_prefix("X-Timestamp: ").expect("the capture time is third");
        let (seconds, micros) = time.split_once('.').expect("it has decimals");
        assert!(seconds.parse::<u64>().is_ok() && micros.len() == 6 && micros.parse::<u32>().is_ok(), "{time}");
        assert_eq!(head[3..], ["X-Frame: 7", "X-Geometry: 3"]);
        assert_eq!(stream.take(15), b"\xff\xd8 a picture \xff\xd9");
        // At once, not with the next frame: nothing else comes before the repetition.
        assert_eq!(stream.take(2), b"\r\n");
        assert_eq!(stream.line(), format!("--{boundary}\r\n"));
    }
}

/// Width and height of a JPEG, and its bytes.
fn measure(jpeg: &[u8]) -> (u32, u32, usize) {
    let picture = image::load_from_memory(jpeg).expect("it is a JPEG");
    (picture.width(), picture.height(), jpeg.len())
}

#[test]
fn every_client_gets_the_size_and_quality_it_asks_for() {
    let studio = Studio::start();
    studio.moving.store(false, Ordering::Relaxed);
    let first = |path: &str| {
        let mut stream = stream(&studio.server, path);
        assert_eq!(stream.status, 200, "{path}");
        stream.line();
        measure(&stream.part().1)
    };
    let snapshot = |query: &str| measure(&ask(studio.server.publisher.address(), "GET", query, "", "").body);
    let full = first("/stream");
    assert_eq!((full.0, full.1), (320, 180));
    for path in ["/stream?size=half", "/video_feed?size=half", "/?action=stream&size=half"] {
        let half = first(path);
        assert_eq!((half.0, half.1), (160, 90), "{path}");
    }
    assert_eq!(snapshot("/snapshot?size=quarter").0, 80);
    let (low, middle, high) =
        (first("/stream?quality=40"), first("/stream?quality=55"), snapshot("/snapshot?quality=100"));
    assert!(low.2 < middle.2 && middle.2 < high.2, "{low:?} {middle:?} {high:?}");
    assert_eq!(high.2, full.2, "80 is the setting");
    // Who asks for nearly the same shares it.
    assert_eq!(first("/stream?quality=35").2, low.2);
    for wrong in ["/stream?size=huge", "/stream?quality=0", "/snapshot?quality=x", "/?action=snapshot&size="] {
        ask(studio.server.publisher.address(), "GET", wrong, "", "").assert_problem(400);
    }
    eventually("no wish is left", || !studio.demand.is_wanted());
}

#[test]
fn a_picture_that_stands_still_is_sent_again() {
    let (server, jpegs) = Server::with_test_jpegs();
    jpegs.publish(1, b"still".to_vec());
    let mut stream = stream(&server, "/stream");
    stream.line();
    let first = Instant::now();
    for _ in 0..3 {
        let (head, body) = stream.part();
        assert_eq!(body, b"still");
        assert!(head.contains(&"X-Frame: 1".to_owned()));
    }
    // Once after the burst and once a second later; that much must have gone by, however slow the machine.
    assert!(first.elapsed() >= Duration::from_millis(1_000));
}

#[test]
fn a_slow_reader_skips_frames_and_delays_nobody() {
    let (server, jpegs) = Server::with_test_jpegs();
    jpegs.publish(0, vec![0; 500_000]);
    let mut slow = stream(&server, "/stream");
    slow.line();
    slow.part();
    let mut quick = stream(&server, "/stream");
    quick.line();
    quick.part();
    for frame in 1..=60u64 {
        jpegs.publish(frame, vec![frame as u8; 500_000]);
        // The quick one gets every single frame while the slow one reads nothing.
        loop {
            let (head, _) = quick.part();
            if head.contains(&format!("X-Frame: {frame}")) {
                break;
            }
        }
    }
    let number = |head: &[String]| head[3].strip_prefix("X-Frame: ").and_then(|text| text.parse::<u64>().ok());
    let mut seen = 0;
    loop {
        let (head, body) = slow.part();
        assert_eq!(body.len(), 500_000);
        seen += 1;
        if number(&head) == Some(60) {
            break;
        }
    }
    assert!(seen < 30, "{seen} of 60 frames waited for the slow reader");
    let viewers = server.publisher.viewers();
    assert!(viewers[0].skipped > 30, "{viewers:?}");
    assert_eq!(viewers[1].skipped, 0, "{viewers:?}");
}

#[test]
fn nothing_is_encoded_unless_somebody_watches() {
    let studio = Studio::start();
    assert!(!studio.demand.is_wanted());
    let mut stream = stream(&studio.server, "/stream");
    stream.line();
    let (_, body) = stream.part();
    assert!(body.starts_with(b"\xff\xd8") && body.ends_with(b"\xff\xd9"));
    assert_eq!(studio.demand.count(), 1);
    drop(stream);
    eventually("the wish ends with its viewer", || !studio.demand.is_wanted());
}

#[test]
fn a_snapshot_is_one_fresh_jpeg_also_of_a_still_picture() {
    let studio = Studio::start();
    studio.moving.store(false, Ordering::Relaxed);
    for path in ["/snapshot", "/snapshot.jpg", "/?action=snapshot"] {
        let snapshot = ask(studio.server.publisher.address(), "GET", path, "", "");
        assert_eq!((snapshot.status, snapshot.header("content-type")), (200, Some("image/jpeg")));
        assert_eq!(snapshot.header("cache-control"), Some("no-store"));
        assert!(snapshot.body.starts_with(b"\xff\xd8"));
    }
    eventually("no wish is left", || !studio.demand.is_wanted());
}

#[test]
fn ffmpeg_reads_the_stream_with_the_password_in_its_url() {
    let studio = Studio::start();
    let url = format!("http://any:{SECRET}@{}/stream", studio.server.publisher.address());
    let mut ffmpeg = Command::new("ffmpeg")
        .args(["-v", "error", "-i", &url, "-frames:v", "10", "-f", "rawvideo", "-pix_fmt", "gray", "-"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("ffmpeg is installed (scripts/setup.sh installs it)");
    let mut pictures = Vec::new();
    let output = ffmpeg.stdout.as_mut().expect("its output is piped");
    output.read_to_end(&mut pictures).expect("ffmpeg writes to its end");
    assert!(ffmpeg.wait().expect("it ends").success());
    assert_eq!(pictures.len(), 10 * crate::support::studio::SIZE.pixels());
}

#[test]
fn a_disconnected_viewer_is_gone_at_once() {
    let (server, jpegs) = Server::with_test_jpegs();
    jpegs.publish(1, b"picture".to_vec());
    let mut stream = stream(&server, "/stream");
    stream.line();
    stream.part();
    let id = server.publisher.viewers()[0].id;
    assert!(server.publisher.disconnect(id));
    let mut rest = Vec::new();
    stream.reader.read_to_end(&mut rest).expect("the stream ends in good order");
    eventually("the table is empty", || server.publisher.viewers().is_empty());
    assert!(!server.publisher.disconnect(id));
}

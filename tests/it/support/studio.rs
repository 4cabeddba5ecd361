//! A publisher with everything behind it that a test needs: a host that writes down what it is asked, real encoders,
//! and a picture that moves or stands still.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use lenscast::encode::{EncodedJpeg, Grade, JpegHub, JpegSubscription, Rung, VideoCodec, VideoConfig, VideoHub};
use lenscast::filter::{Chain, ChainError};
use lenscast::frame::{Frame, FrameSink, FrameTimes, PixelFormat};
use lenscast::geometry::{Affine, Geometry, Size};
use lenscast::input::{BatonWish, InputEvent, PointerEvent};

use lenscast::publish::{
    AccessPolicy, Door, Host, IceServer, JpegSource, MOST_VIEWERS, PublishConfig, Publisher, VideoSource,
};
use lenscast::receive::Inbox;
use lenscast::util::{Demand, Latest};
use serde_json::{Value, json};

use super::random::Random;

pub const SECRET: &str = "correct-horse-battery";
pub const SIZE: Size = Size::new(320, 180);

/// What the studio shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scene {
    /// A gradient with a white bar that walks.
    Small,
    /// The same larger, with a patch that is another one in every frame: an encoder uses whatever bitrate it is given.
    Rich,
}

impl Scene {
    pub const fn size(self) -> Size {
        match self {
            Self::Small => SIZE,
            Self::Rich => Size::new(640, 360),
        }
    }
}

/// Writes down what it is asked.
pub struct TestHost {
    pub access: Mutex<AccessPolicy>,
    pub chain: Mutex<Chain>,
    pub state: Mutex<Value>,
    /// Sessions and their events; `None` is the end of what a session held.
    pub pointer: Mutex<Vec<(u64, Option<PointerEvent>)>>,
    /// Sessions and what they did with the keyboard, or wished.
    pub keys: Mutex<Vec<(u64, InputEvent)>>,
    pub wishes: Mutex<Vec<(u64, BatonWish)>>,
    pub inbox: Arc<Inbox>,
    pub door: Arc<Door>,
    pub ice_servers: Mutex<Vec<IceServer>>,
    start: Instant,
}

impl Default for TestHost {
    fn default() -> Self {
        let access = AccessPolicy {
            secret: SECRET.to_owned(),
            control: true,
            publish: true,
            most_viewers: MOST_VIEWERS,
            ..AccessPolicy::default()
        };
        let state = json!({ "version": "0.1.0", "source": { "id": "pattern", "name": "Test pattern" },
            "picture": { "width": SIZE.width, "height": SIZE.height }, "geometry": { "epoch": 1, "pointer": true },
            "control": true, "paused": false, "fps": { "captured": 30.0, "filtered": 30.0 }, "viewers": [] });
        Self {
            access: Mutex::new(access),
            chain: Mutex::default(),
            state: Mutex::new(state),
            pointer: Mutex::default(),
            keys: Mutex::default(),
            wishes: Mutex::default(),
            inbox: Arc::default(),
            door: Arc::default(),
            ice_servers: Mutex::default(),
            start: Instant::now(),
        }
    }
}

impl Host for TestHost {
    fn access(&self) -> AccessPolicy {
        self.access.lock().unwrap().clone()
    }
    fn door(&self) -> Arc<Door> {
        Arc::clone(&self.door)
    }
    fn state(&self) -> Value {
        self.state.lock().unwrap().clone()
    }
    fn chain(&self) -> Value {
        self.chain.lock().unwrap().to_remote_json()
    }
    fn patch_chain(&self, patch: &Value) -> Result<Value, ChainError> {
        let mut chain = self.chain.lock().unwrap();
        chain.merge_patch(patch)?;
        Ok(chain.to_remote_json())
    }
    fn filters(&self) -> Value {
        json!([])
    }
    fn clock_us(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.start).as_micros() as u64
    }
    fn input(&self, session: u64, event: InputEvent) {
        let InputEvent::Pointer(event) = event else { return self.keys.lock().unwrap().push((session, event)) };
        self.pointer.lock().unwrap().push((session, Some(event)));
    }
    fn wish_control(&self, session: u64, wish: BatonWish) {
        self.wishes.lock().unwrap().push((session, wish));
    }
    fn end_pointer(&self, session: u64) {
        self.pointer.lock().unwrap().push((session, None));
    }
    fn ice_servers(&self) -> Vec<IceServer> {
        self.ice_servers.lock().unwrap().clone()
    }
    fn inbox(&self) -> Option<Arc<Inbox>> {
        Some(Arc::clone(&self.inbox))
    }
}

/// JPEGs that are whatever bytes a test wants.
pub struct TestJpegs {
    pub demand: Arc<Demand>,
    newest: Latest<Option<Arc<EncodedJpeg>>>,
}

impl Default for TestJpegs {
    fn default() -> Self {
        Self { demand: Arc::default(), newest: Latest::new(None) }
    }
}

impl TestJpegs {
    pub fn publish(&self, frame_id: u64, data: Vec<u8>) {
        let times = FrameTimes { captured: Instant::now(), filtered: None };
        let geometry = Arc::new(Geometry::untouched(3, SIZE, None));
        self.newest.publish(Some(Arc::new(EncodedJpeg {
            data,
            size: SIZE,
            frame_id,
            times,
            encoded: Instant::now(),
            geometry,
        })));
    }
}

impl JpegSource for TestJpegs {
    fn subscribe(&self, _rung: Rung, _grade: Grade) -> JpegSubscription {
        (self.newest.reader(), self.demand.want())
    }
}

/// A publisher on a port of its own.
pub struct Server {
    pub host: Arc<TestHost>,
    pub publisher: Publisher,
    // Last, because the publisher needs it to stop.
    _runtime: tokio::runtime::Runtime,
}

impl Server {
    pub fn start(jpeg: Arc<dyn JpegSource>, video: Vec<Arc<dyn VideoSource>>) -> Self {
        Self::start_at(IpAddr::V4(Ipv4Addr::LOCALHOST), jpeg, video)
    }

    pub fn start_at(bind: IpAddr, jpeg: Arc<dyn JpegSource>, video: Vec<Arc<dyn VideoSource>>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("a runtime can be made");
        let host = Arc::new(TestHost::default());
        let config = PublishConfig::new(SocketAddr::new(bind, 0));
        let publisher = Publisher::start(config, Arc::clone(&host) as Arc<dyn Host>, jpeg, video, runtime.handle());
        Self { host, publisher: publisher.expect("a free port can be listened on"), _runtime: runtime }
    }

    /// With JPEGs of the test's own and no video.
    pub fn with_test_jpegs() -> (Self, Arc<TestJpegs>) {
        let jpegs = Arc::new(TestJpegs::default());
        (Self::start(Arc::clone(&jpegs) as Arc<dyn JpegSource>, Vec::new()), jpegs)
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.publisher.address())
    }
}

/// Real encoders behind a publisher, and a picture in front of them.
pub struct Studio {
    pub server: Server,
    pub demand: Arc<Demand>,
    pub moving: Arc<AtomicBool>,
    jpeg: Arc<JpegHub>,
    video: Vec<Arc<VideoHub>>,
    ends: Arc<AtomicBool>,
    feeder: Option<JoinHandle<()>>,
}

impl Studio {
    pub fn start() -> Self {
        Self::showing(Scene::Small, 1_000)
    }

    /// Listening at this address.
    pub fn at(bind: IpAddr) -> Self {
        Self::made(bind, Scene::Small, 1_000)
    }

    pub fn showing(shown: Scene, bitrate_kbps: u32) -> Self {
        Self::made(IpAddr::V4(Ipv4Addr::LOCALHOST), shown, bitrate_kbps)
    }

    fn made(bind: IpAddr, shown: Scene, bitrate_kbps: u32) -> Self {
        let demand = Arc::new(Demand::default());
        let quality = Latest::new(80);
        let config = Latest::new(VideoConfig { bitrate_kbps, fps: 30 });
        let jpeg = JpegHub::start(&demand, &quality.reader());
        let codecs: &[VideoCodec] = if cfg!(feature = "vp8") { &VideoCodec::ALL } else { &[VideoCodec::H264] };
        let video: Vec<_> = codecs.iter().map(|&codec| VideoHub::start(codec, &demand, &config.reader())).collect();
        let sources = video.iter().map(|hub| Arc::clone(hub) as Arc<dyn VideoSource>).collect();
        let server = Server::start_at(bind, Arc::clone(&jpeg) as Arc<dyn JpegSource>, sources);
        let (moving, ends) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(false)));
        let feeder = {
            let (jpeg, video) = (Arc::clone(&jpeg), video.clone());
            let (moving, ends) = (Arc::clone(&moving), Arc::clone(&ends));
            std::thread::spawn(move || {
                let geometry = Arc::new(Geometry::untouched(1, shown.size(), Some(Affine::IDENTITY)));
                // Drawn beforehand, because several of these scenes take all of a small machine otherwise.
                let drawn: Vec<Frame> = (1..=80).map(|id| scene(shown, id, &geometry)).collect();
                let (mut id, begun) = (0, Instant::now());
                while !ends.load(Ordering::Relaxed) {
                    // The first frame always comes, so that there is a picture that can stand still.
                    if id == 0 || moving.load(Ordering::Relaxed) {
                        id += 1;
                        let now = Instant::now();
                        let times = FrameTimes { captured: now, filtered: Some(now) };
                        let frame = Arc::new(Frame { id, times, ..drawn[id as usize % drawn.len()].clone() });
                        jpeg.offer(&frame);
                        video.iter().for_each(|hub| hub.offer(&frame));
                    }
                    let passed = begun.elapsed().as_millis() as u64;
                    std::thread::sleep(Duration::from_millis(33 - passed % 33));
                }
            })
        };
        Self { server, demand, moving, jpeg, video, ends, feeder: Some(feeder) }
    }
}

impl Drop for Studio {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        self.server.publisher.stop();
        if let Some(feeder) = self.feeder.take() {
            let _ = feeder.join();
        }
        let deadline = Instant::now() + Duration::from_secs(2);
        self.jpeg.stop(deadline);
        self.video.iter().for_each(|hub| hub.stop(deadline));
    }
}

/// A frame of the scene.
pub fn scene(shown: Scene, id: u64, geometry: &Arc<Geometry>) -> Frame {
    let size = shown.size();
    let bar = (id * 4 % u64::from(size.width)) as u32;
    let pixel = |x: u32, y: u32| if x.abs_diff(bar) < 8 { [255; 4] } else { [x as u8, y as u8, 90, 255] };
    let mut pixels: Vec<u8> = (0..size.height).flat_map(|y| (0..size.width).flat_map(move |x| pixel(x, y))).collect();
    if shown == Scene::Rich {
        let (mut random, mut left) = (Random::new(id), 0);
        for y in 100..228 {
            for x in (200..392).step_by(2) {
                left = if left == 0 { random.next() | 1 << 63 } else { left >> 4 };
                let at = (y * size.width as usize + x) * 4;
                pixels[at..at + 8].fill(80 + (left & 15) as u8 * 6);
            }
        }
    }
    let now = Instant::now();
    Frame {
        id,
        size,
        format: PixelFormat::Rgba,
        pixels: Arc::new(pixels.into()),
        times: FrameTimes { captured: now, filtered: Some(now) },
        geometry: Arc::clone(geometry),
    }
}

/// Waits until something is so; the limit only ends a test that has failed already.
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "never came true: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

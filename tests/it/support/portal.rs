//! A Wayland desktop as programs see it: a message bus of the test's own, a portal on it that answers as it is told to,
//! and a compositor's input at the end of the portal's connection that writes down what was done.

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use reis::eis;
use reis::handshake::EisHandshaker;
use reis::request::{Connection as EisConnection, Device, DeviceCapability, EisRequest, EisRequestConverter, Seat};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use zbus::message::Header;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};

use super::program::Folder;
use super::studio::eventually;

const PATH: &str = "/org/freedesktop/portal/desktop";

/// A bus; it ends when this is dropped.
pub struct Bus {
    process: Child,
    pub address: String,
    _folder: Folder,
}

impl Bus {
    /// One that starts no services: whatever is installed on this machine stays out of it.
    pub fn start() -> Self {
        let folder = Folder::new();
        let configuration = format!(
            "<busconfig><type>session</type><listen>unix:dir={}</listen><auth>EXTERNAL</auth>\
             <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>\
             <allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
            folder.path().display()
        );
        let file = folder.path().join("bus.conf");
        std::fs::write(&file, configuration).expect("the folder is the test's own");
        let mut process = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", file.display()))
            .args(["--nofork", "--nopidfile", "--print-address=1"])
            .stdout(Stdio::piped())
            // It complains that it may not open as many files as it would like.
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon is installed (scripts/setup.sh installs it)");
        let mut address = String::new();
        let output = process.stdout.take().expect("its output is piped");
        BufReader::new(output).read_line(&mut address).expect("it says where it is");
        Self { process, address: address.trim().to_owned(), _folder: folder }
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the person at the desktop says to the dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    Yes,
    No,
    /// Allows nothing, and closes the dialog all the same.
    Neither,
    /// Is away.
    Nothing,
}

/// How the portal behaves.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    pub version: u32,
    pub says: Says,
    pub has_remote_desktop: bool,
    /// The compositor takes whole texts.
    pub takes_text: bool,
}

impl Default for Manner {
    fn default() -> Self {
        Self { version: 2, says: Says::Yes, has_remote_desktop: true, takes_text: false }
    }
}

/// What was done on the desktop.
#[derive(Debug, Clone, PartialEq)]
pub enum Done {
    At(f32, f32),
    By(f32, f32),
    Button(u32, bool),
    Wheel(i32, i32),
    Key(u32, bool),
    Text(String),
    /// By the portal's own methods.
    Notified(String),
    /// The connection ended.
    Gone,
}

enum Order {
    /// Pauses the pointer's device, or lets it go on.
    Pause,
    Resume,
    /// Takes the pointer away and gives another one, as after a change of the screens.
    Replace,
    HangUp,
}

#[derive(Default)]
struct Book {
    manner: Manner,
    asked: Vec<(String, HashMap<String, OwnedValue>)>,
    /// The request that waits for the person, and who made it.
    waiting: Option<(OwnedObjectPath, String)>,
    session: Option<(OwnedObjectPath, String)>,
    closed: usize,
    tokens: u32,
    done: VecDeque<Done>,
    orders: Option<Sender<Order>>,
    obeyed: usize,
}

type Shared = Arc<Mutex<Book>>;

/// The desktop.
pub struct Desktop {
    shared: Shared,
    connection: zbus::blocking::Connection,
    pub bus: Bus,
}

impl Desktop {
    pub fn start(manner: Manner) -> Self {
        let bus = Bus::start();
        let shared = Shared::default();
        shared.lock().unwrap().manner = manner;
        let mut builder = zbus::blocking::connection::Builder::address(bus.address.as_str()).unwrap();
        if manner.has_remote_desktop {
            builder = builder.serve_at(PATH, RemoteDesktop(Arc::clone(&shared))).unwrap();
        }
        let builder = builder.serve_at(PATH, ScreenCast(Arc::clone(&shared))).unwrap();
        let connection = builder.name("org.freedesktop.portal.Desktop").unwrap().build().unwrap();
        Self { shared, connection, bus }
    }

    pub fn set(&self, says: Says) {
        self.shared.lock().unwrap().manner.says = says;
    }

    /// How often a method was called.
    pub fn count(&self, method: &str) -> usize {
        self.shared.lock().unwrap().asked.iter().filter(|(name, _)| name == method).count()
    }

    /// An option of a method's last call.
    pub fn option(&self, method: &str, option: &str) -> Option<OwnedValue> {
        let book = self.shared.lock().unwrap();
        let (_, options) = book.asked.iter().rev().find(|(name, _)| name == method)?;
        options.get(option).map(|value| value.try_clone().unwrap())
    }

    pub fn sessions_closed(&self) -> usize {
        self.shared.lock().unwrap().closed
    }

    /// The person comes back and answers the dialog.
    pub fn answer(&self, says: Says) {
        eventually("the dialog is open", || self.shared.lock().unwrap().waiting.is_some());
        let (request, sender) = self.shared.lock().unwrap().waiting.take().unwrap();
        let answer = started(&self.shared, says);
        let to = Some(sender.as_str());
        self.connection.emit_signal(to, &request, "org.freedesktop.portal.Request", "Response", &answer).unwrap();
    }

    /// The person ends the session in the desktop's own menu.
    pub fn end_session(&self) {
        let (session, sender) = self.shared.lock().unwrap().session.clone().unwrap();
        let (to, details) = (Some(sender.as_str()), HashMap::<String, OwnedValue>::new());
        self.connection.emit_signal(to, &session, "org.freedesktop.portal.Session", "Closed", &(details,)).unwrap();
    }

    pub fn pause(&self) {
        self.order(Order::Pause);
    }

    pub fn resume(&self) {
        self.order(Order::Resume);
    }

    pub fn replace_pointer(&self) {
        self.order(Order::Replace);
    }

    pub fn hang_up(&self) {
        self.order(Order::HangUp);
    }

    /// Returns once it is done at the compositor's end.
    fn order(&self, order: Order) {
        let before = {
            let book = self.shared.lock().unwrap();
            book.orders.as_ref().expect("somebody is connected").send(order).unwrap();
            book.obeyed
        };
        eventually("the compositor obeys", || self.shared.lock().unwrap().obeyed > before);
    }

    /// What was done since the last look, once it is `expected` and nothing else.
    pub fn expect(&self, expected: &[Done]) {
        let mut done = Vec::new();
        eventually(&format!("{expected:?}"), || {
            done.extend(self.shared.lock().unwrap().done.drain(..));
            assert!(expected.starts_with(&done), "{done:?} and not {expected:?}");
            done.len() == expected.len()
        });
    }

    /// What was done so far.
    pub fn done(&self) -> Vec<Done> {
        self.shared.lock().unwrap().done.drain(..).collect()
    }
}

/// The answer to `Start`.
fn started(shared: &Shared, says: Says) -> (u32, HashMap<&'static str, Value<'static>>) {
    let mut results = HashMap::new();
    if says == Says::No {
        return (1, results);
    }
    let mut book = shared.lock().unwrap();
    book.tokens += 1;
    let stream = |node: u32, position: (i32, i32), size: (i32, i32)| {
        let facts = HashMap::from([("position", Value::from(position)), ("size", Value::from(size))]);
        (node, facts)
    };
    results.insert("devices", Value::from(if says == Says::Neither { 0_u32 } else { 3 }));
    results.insert("streams", vec![stream(40, (0, 0), (1920, 1080)), stream(41, (1920, 100), (1280, 720))].into());
    if book.manner.version >= 2 {
        results.insert("restore_token", Value::from(format!("token-{}", book.tokens)));
    }
    (0, results)
}

fn handle(header: &Header<'_>, kind: &str, options: &HashMap<String, OwnedValue>, token: &str) -> OwnedObjectPath {
    let sender = header.sender().unwrap().as_str().trim_start_matches(':').replace('.', "_");
    let token = <&str>::try_from(options.get(token).expect("every request is named")).unwrap().to_owned();
    OwnedObjectPath::try_from(format!("{PATH}/{kind}/{sender}/{token}")).unwrap()
}

/// Notes a call and answers it, before the call itself returns: whoever listens too late has missed it.
async fn answer(
    connection: &zbus::Connection,
    header: &Header<'_>,
    request: &OwnedObjectPath,
    answer: &(u32, HashMap<&'static str, Value<'static>>),
) {
    let to = header.sender().cloned();
    connection.emit_signal(to, request, "org.freedesktop.portal.Request", "Response", answer).await.unwrap();
}

struct RemoteDesktop(Shared);

impl RemoteDesktop {
    fn note(&self, method: &str, options: HashMap<String, OwnedValue>) {
        self.0.lock().unwrap().asked.push((method.to_owned(), options));
    }

    fn notified(&self, what: String) {
        self.0.lock().unwrap().done.push_back(Done::Notified(what));
    }
}

type Map = HashMap<String, OwnedValue>;

#[zbus::interface(name = "org.freedesktop.portal.RemoteDesktop")]
impl RemoteDesktop {
    #[zbus(property, name = "version")]
    fn version(&self) -> u32 {
        self.0.lock().unwrap().manner.version
    }

    async fn create_session(
        &self,
        options: Map,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &zbus::Connection,
    ) -> OwnedObjectPath {
        let request = handle(&header, "request", &options, "handle_token");
        let session = handle(&header, "session", &options, "session_handle_token");
        self.note("CreateSession", options);
        connection.object_server().at(&session, Session(Arc::clone(&self.0))).await.unwrap();
        let sender = header.sender().unwrap().to_string();
        self.0.lock().unwrap().session = Some((session.clone(), sender));
        let results = HashMap::from([("session_handle", Value::from(session.as_str().to_owned()))]);
        answer(connection, &header, &request, &(0, results)).await;
        request
    }

    async fn select_devices(
        &self,
        _session: OwnedObjectPath,
        options: Map,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &zbus::Connection,
    ) -> OwnedObjectPath {
        let request = handle(&header, "request", &options, "handle_token");
        self.note("SelectDevices", options);
        answer(connection, &header, &request, &(0, HashMap::new())).await;
        request
    }

    async fn start(
        &self,
        _session: OwnedObjectPath,
        _parent_window: String,
        options: Map,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &zbus::Connection,
    ) -> OwnedObjectPath {
        let request = handle(&header, "request", &options, "handle_token");
        self.note("Start", options);
        let says = self.0.lock().unwrap().manner.says;
        if says == Says::Nothing {
            let sender = header.sender().unwrap().to_string();
            self.0.lock().unwrap().waiting = Some((request.clone(), sender));
        } else {
            let result = started(&self.0, says);
            answer(connection, &header, &request, &result).await;
        }
        request
    }

    #[zbus(name = "ConnectToEIS")]
    fn connect_to_eis(&self, _session: OwnedObjectPath, options: Map) -> zbus::fdo::Result<zbus::zvariant::OwnedFd> {
        self.note("ConnectToEIS", options);
        if self.0.lock().unwrap().manner.version < 2 {
            return Err(zbus::fdo::Error::UnknownMethod("too old".to_owned()));
        }
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (orders, receiver) = channel();
        self.0.lock().unwrap().orders = Some(orders);
        let shared = Arc::clone(&self.0);
        std::thread::spawn(move || {
            Compositor::run(ours, &shared, &receiver);
            shared.lock().unwrap().done.push_back(Done::Gone);
        });
        Ok(OwnedFd::from(theirs).into())
    }

    fn notify_pointer_motion(&self, _session: OwnedObjectPath, _options: Map, dx: f64, dy: f64) {
        self.notified(format!("by {dx} {dy}"));
    }

    fn notify_pointer_motion_absolute(&self, _session: OwnedObjectPath, _options: Map, stream: u32, x: f64, y: f64) {
        self.notified(format!("at {stream} {x} {y}"));
    }

    fn notify_pointer_button(&self, _session: OwnedObjectPath, _options: Map, button: i32, state: u32) {
        self.notified(format!("button {button:#x} {state}"));
    }

    fn notify_pointer_axis_discrete(&self, _session: OwnedObjectPath, _options: Map, axis: u32, steps: i32) {
        self.notified(format!("axis {axis} {steps}"));
    }

    fn notify_keyboard_keycode(&self, _session: OwnedObjectPath, _options: Map, keycode: i32, state: u32) {
        self.notified(format!("key {keycode} {state}"));
    }

    fn notify_keyboard_keysym(&self, _session: OwnedObjectPath, _options: Map, keysym: i32, state: u32) {
        self.notified(format!("symbol {keysym:#x} {state}"));
    }
}

struct ScreenCast(Shared);

#[zbus::interface(name = "org.freedesktop.portal.ScreenCast")]
impl ScreenCast {
    #[zbus(property, name = "version")]
    fn version(&self) -> u32 {
        5
    }

    async fn select_sources(
        &self,
        _session: OwnedObjectPath,
        options: Map,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &zbus::Connection,
    ) -> OwnedObjectPath {
        let request = handle(&header, "request", &options, "handle_token");
        self.0.lock().unwrap().asked.push(("SelectSources".to_owned(), options));
        answer(connection, &header, &request, &(0, HashMap::new())).await;
        request
    }
}

struct Session(Shared);

#[zbus::interface(name = "org.freedesktop.portal.Session")]
impl Session {
    fn close(&self) {
        self.0.lock().unwrap().closed += 1;
    }
}

/// The compositor's end of one connection.
struct Compositor<'a> {
    shared: &'a Shared,
    connection: EisConnection,
    seat: Option<Seat>,
    pointer: Option<Device>,
    /// Devices on which events may come, by name.
    emulating: Vec<String>,
    was_paused: bool,
    /// The time of the last event.
    time: u64,
}

impl Compositor<'_> {
    fn run(stream: UnixStream, shared: &Shared, orders: &Receiver<Order>) {
        let context = eis::Context::new(stream).unwrap();
        let mut handshaker = EisHandshaker::new(&context, 1);
        let mut converter: Option<EisRequestConverter> = None;
        let mut this: Option<Compositor<'_>> = None;
        loop {
            while let Some(request) = context.pending_request() {
                let request = match request {
                    reis::PendingRequestResult::Request(request) => request,
                    // Of a device that was taken away while it was on its way.
                    reis::PendingRequestResult::InvalidObject(_) => continue,
                    reis::PendingRequestResult::ParseError(error) => panic!("that is no request: {error}"),
                };
                let Some(converter) = &mut converter else {
                    if let Some(done) = handshaker.handle_request(request).unwrap() {
                        assert_eq!(done.context_type, eis::handshake::ContextType::Sender);
                        let made = EisRequestConverter::new(&context, done, 1);
                        this = Some(Compositor::greet(shared, made.handle().clone()));
                        converter = Some(made);
                    }
                    continue;
                };
                converter.handle_request(request).unwrap();
                while let (Some(request), Some(this)) = (converter.next_request(), &mut this) {
                    if matches!(request, EisRequest::Disconnect) {
                        return;
                    }
                    this.take(request);
                }
            }
            if let Some(this) = &mut this {
                while let Ok(order) = orders.try_recv() {
                    this.obey(&order);
                    shared.lock().unwrap().obeyed += 1;
                    if matches!(order, Order::HangUp) {
                        return;
                    }
                }
            }
            let _ = context.flush();
            let tick = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };
            assert!(context.as_raw_fd() >= 0);
            if poll(&mut [PollFd::new(&context.as_fd(), PollFlags::IN)], Some(&tick)).unwrap() > 0
                && context.read().is_err()
            {
                return;
            }
        }
    }

    fn greet(shared: &Shared, connection: EisConnection) -> Compositor<'_> {
        let mut able = DeviceCapability::Pointer
            | DeviceCapability::PointerAbsolute
            | DeviceCapability::Button
            | DeviceCapability::Scroll
            | DeviceCapability::Keyboard;
        if shared.lock().unwrap().manner.takes_text {
            able |= DeviceCapability::Text;
        }
        let seat = Some(connection.add_seat(Some("seat"), able));
        Compositor { shared, connection, seat, pointer: None, emulating: Vec::new(), was_paused: false, time: 0 }
    }

    fn take(&mut self, request: EisRequest) {
        if let EisRequest::Frame(frame) = &request {
            assert!(frame.time >= self.time, "time goes on");
            self.time = frame.time;
        }
        let on = request.device().and_then(|device| device.name().map(ToOwned::to_owned));
        let done = match request {
            EisRequest::Bind(_) => return self.give_devices(),
            EisRequest::DeviceStartEmulating(event) => {
                return self.emulating.push(event.device.name().unwrap().to_owned());
            }
            EisRequest::PointerMotionAbsolute(event) => Done::At(event.dx_absolute, event.dy_absolute),
            EisRequest::PointerMotion(event) => Done::By(event.dx, event.dy),
            EisRequest::Button(event) => Done::Button(event.button, event.state == eis::button::ButtonState::Press),
            EisRequest::ScrollDiscrete(event) => Done::Wheel(event.discrete_dx, event.discrete_dy),
            EisRequest::KeyboardKey(event) => Done::Key(event.key, event.state == eis::keyboard::KeyState::Press),
            EisRequest::TextUtf8(event) => Done::Text(event.text),
            _ => return,
        };
        let on = on.unwrap();
        if on == "pointer" && self.was_paused && !self.emulating.contains(&on) {
            // Sent before it could know.
            return;
        }
        assert!(self.emulating.contains(&on), "{done:?} comes from a device that may send");
        self.shared.lock().unwrap().done.push_back(done);
    }

    fn give_devices(&mut self) {
        self.give_pointer();
        let seat = self.seat.clone().unwrap();
        let relative = DeviceCapability::Pointer | DeviceCapability::Button | DeviceCapability::Scroll;
        seat.add_device(Some("relative"), eis::device::DeviceType::Virtual, relative, |_| {}).resumed();
        let keyboard = DeviceCapability::Keyboard.into();
        let mut keymap = tempfile();
        keymap.write_all(KEYMAP.as_bytes()).unwrap();
        let kind = eis::device::DeviceType::Virtual;
        let with_keymap = |device: &Device| {
            let keyboard = device.interface::<eis::Keyboard>().unwrap();
            keyboard.keymap(eis::keyboard::KeymapType::Xkb, KEYMAP.len() as u32, keymap.as_fd());
        };
        seat.add_device(Some("keyboard"), kind, keyboard, with_keymap).resumed();
        if self.shared.lock().unwrap().manner.takes_text {
            let text = DeviceCapability::Text.into();
            seat.add_device(Some("text"), kind, text, |_| {}).resumed();
        }
    }

    fn give_pointer(&mut self) {
        let able = DeviceCapability::PointerAbsolute | DeviceCapability::Button | DeviceCapability::Scroll;
        let seat = self.seat.as_ref().unwrap();
        let pointer = seat.add_device(Some("pointer"), eis::device::DeviceType::Virtual, able, |device| {
            device.device().region(0, 0, 1920, 1080, 1.0);
            device.device().region(1920, 100, 1280, 720, 1.0);
        });
        pointer.resumed();
        self.pointer = Some(pointer);
    }

    fn obey(&mut self, order: &Order) {
        let pointer = self.pointer.clone().unwrap();
        self.was_paused = true;
        match order {
            Order::Pause => {
                pointer.paused();
                self.emulating.retain(|name| name != "pointer");
            }
            Order::Resume => pointer.resumed(),
            Order::Replace => {
                pointer.remove();
                self.emulating.retain(|name| name != "pointer");
                self.give_pointer();
            }
            Order::HangUp => {}
        }
        let _ = self.connection.flush();
    }
}

/// A file without a name.
fn tempfile() -> std::fs::File {
    let folder = Folder::new();
    let path = folder.path().join("keymap");
    std::fs::File::options().read(true).write(true).create_new(true).open(path).unwrap()
}

/// Two keys that type `a` and `A`, `e` and `€`, and what is held for them.
const KEYMAP: &str = r#"xkb_keymap {
xkb_keycodes "(unnamed)" {
	<AC01> = 38;
	<AD03> = 26;
	<LFSH> = 50;
	<LCTL> = 37;
	<RALT> = 108;
};
xkb_symbols "(unnamed)" {
	key <AC01> { [ a, A ] };
	key <AD03> { type= "FOUR_LEVEL", symbols[Group1]= [ e, E, EuroSign, EuroSign ] };
	key <LFSH> { [ Shift_L ] };
	key <LCTL> { [ Control_L ] };
	key <RALT> { [ ISO_Level3_Shift ] };
};
};"#;

//! Every message on the wire, as `docs/protocol.md` has it: pure, strict, and never in a panic whatever comes.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::roles::{Role, Roles};
use crate::encode::Rung;
use crate::input::{BatonWish, Button, InputEvent, KeyCode, KeyEvent, PointerEvent, PointerKind};

/// The version said in `hello`; it grows when a page of before would misunderstand.
pub const PROTOCOL_VERSION: u32 = 1;
/// The longest message a page may send, in bytes; an EVENT has about 200.
pub const LONGEST_MESSAGE: usize = 16 * 1024;
/// The most events one POST may carry.
pub const MOST_EVENTS: usize = 64;
/// The longest name a page may give its session, in bytes.
const LONGEST_SESSION_NAME: usize = 128;
/// Wheel notches beyond this in one event are a mistake or malice.
const MOST_NOTCHES: f64 = 20.0;

/// Why a message can't be understood. The sentence goes back to the page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    #[error("a message has at most {LONGEST_MESSAGE} bytes")]
    TooLong,
    #[error("a message has to be a JSON object")]
    NotJson,
    #[error("`{0}` is missing")]
    Missing(&'static str),
    #[error("`{0}` has to be {1}")]
    Wrong(&'static str, &'static str),
    #[error("a request carries at most {MOST_EVENTS} events")]
    TooManyEvents,
}

/// What a page says on a data channel.
#[derive(Debug, Clone, PartialEq)]
pub enum PageMessage {
    /// The page's clock in milliseconds.
    Ping {
        t0: f64,
    },
    Report(Report),
    /// With the pointer or the keyboard.
    Input(InputEvent),
    /// About who controls the desktop.
    Control(BatonWish),
    /// Which size the page wants to be sent.
    Quality(Quality),
    /// Over a WebSocket: the frame that has arrived, and with it all before.
    Ack {
        frame: u64,
    },
    /// A type that this version does not know: ignored, and counted.
    Unknown,
}

/// What a viewer chose; `Auto` leaves it to the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Quality {
    #[default]
    Auto,
    Pinned(Rung),
}

/// What a page measured; what it does not know is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Report {
    pub delay_ms: Option<f32>,
    pub fps: Option<f32>,
}

/// What the host says on the data channel `control`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum HostMessage {
    /// `sizes`: the page may choose one by `quality`.
    Hello {
        protocol: u32,
        version: &'static str,
        codec: &'static str,
        id: u64,
        sizes: bool,
    },
    State(ViewerState),
    Geometry {
        epoch: u32,
        rtp: u32,
        width: u32,
        height: u32,
        pointer: bool,
    },
    Frame {
        rtp: u32,
        captured_us: u64,
        filtered_us: u64,
        encoded_us: u64,
        sent_us: u64,
    },
    Pong {
        t0: f64,
        t1_us: u64,
        t2_us: u64,
    },
    Warning {
        message: String,
    },
    Error {
        message: String,
    },
}

/// What stands before each JPEG on a WebSocket; times are of the host's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHead {
    pub epoch: u32,
    pub frame: u64,
    /// The source has a desktop to click on.
    pub pointer: bool,
    pub captured_us: u64,
    pub filtered_us: u64,
    pub encoded_us: u64,
    pub sent_us: u64,
}

impl FrameHead {
    /// The length in bytes, which the head itself carries, so that a later one can be longer.
    pub const LENGTH: usize = 48;
    const VERSION: u8 = 1;

    pub fn to_bytes(self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        bytes[..4].copy_from_slice(&[Self::VERSION, Self::LENGTH as u8, u8::from(self.pointer), 0]);
        bytes[4..8].copy_from_slice(&self.epoch.to_be_bytes());
        let numbers = [self.frame, self.captured_us, self.filtered_us, self.encoded_us, self.sent_us];
        let (places, _) = bytes[8..].as_chunks_mut::<8>();
        for (place, number) in places.iter_mut().zip(numbers) {
            *place = number.to_be_bytes();
        }
        bytes
    }
}

/// What a viewer has to know of the host.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct ViewerState {
    pub source: String,
    pub width: u32,
    pub height: u32,
    pub fps: Option<f64>,
    pub viewers: usize,
    /// The host allows the pointer to this viewer.
    pub control: bool,
    /// The host allows the keyboard to this viewer.
    pub keys: bool,
    /// The source has a desktop to click on.
    pub pointer: bool,
    pub paused: bool,
    /// The host lets this viewer move the filters' sliders.
    pub tune: bool,
    /// Another number whenever the chain is another one.
    pub chain: u32,
    /// Everything this viewer may do.
    pub roles: Roles,
    pub holder: DesktopHolder,
    /// How many ask for it, this viewer among them or not.
    pub asking: usize,
    /// The person at the host is using the mouse or keyboard, so everybody else waits.
    pub local: bool,
}

/// Who has the desktop, as one viewer sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DesktopHolder {
    #[default]
    Nobody,
    You,
    Other,
    Host,
}

/// The body of `POST /api/v1/pointer`.
#[derive(Debug, Clone, PartialEq)]
pub struct PointerPost {
    /// A name the page made up.
    pub session: String,
    pub events: Vec<InputEvent>,
}

impl HostMessage {
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("strings, numbers and booleans always become JSON")
    }
}

impl ViewerState {
    /// What one viewer is told of the program's state, the answer of `GET /state`.
    ///
    /// `roles` is what the viewer may do at this moment, `id` its session.
    pub fn from_state(state: &Value, roles: Roles, id: u64) -> Self {
        let side = |name: &str| state["picture"][name].as_u64().and_then(|side| u32::try_from(side).ok()).unwrap_or(0);
        Self {
            source: state["source"]["name"].as_str().unwrap_or_default().to_owned(),
            width: side("width"),
            height: side("height"),
            fps: state["fps"]["filtered"].as_f64(),
            viewers: state["viewers"].as_array().map_or(0, Vec::len),
            control: roles.has(Role::Click) && state["control"].as_bool().unwrap_or(false),
            keys: roles.has(Role::Type) && state["control"].as_bool().unwrap_or(false),
            pointer: state["geometry"]["pointer"].as_bool().unwrap_or(false),
            paused: state["paused"].as_bool().unwrap_or(false),
            tune: roles.has(Role::Tune) && state["tune"].as_bool().unwrap_or(false),
            chain: state["chain"].as_u64().and_then(|chain| u32::try_from(chain).ok()).unwrap_or(0),
            roles,
            holder: match &state["pointer"]["holder"] {
                Value::Number(holder) if holder.as_u64() == Some(id) => DesktopHolder::You,
                Value::Number(_) => DesktopHolder::Other,
                Value::String(_) => DesktopHolder::Host,
                _ => DesktopHolder::Nobody,
            },
            asking: state["pointer"]["asking"].as_array().map_or(0, Vec::len),
            local: state["pointer"]["local"].as_bool().unwrap_or(false),
        }
    }

    /// Whether a page should hear of the difference at once; frame rates flicker and can wait.
    pub fn differs_much(&self, other: &Self) -> bool {
        let calm = |state: &Self| Self { fps: None, ..state.clone() };
        calm(self) != calm(other)
    }
}

/// Reads what came on a data channel.
///
/// # Errors
/// When it is not a message of the protocol.
pub fn parse_message(bytes: &[u8]) -> Result<PageMessage, ProtocolError> {
    let message = parse_object(bytes)?;
    let kind = message.get("type").ok_or(ProtocolError::Missing("type"))?;
    let kind = kind.as_str().ok_or(ProtocolError::Wrong("type", "text"))?;
    let data = || match message.get("data") {
        Some(Value::Object(data)) => Ok(data),
        Some(_) => Err(ProtocolError::Wrong("data", "an object")),
        None => Err(ProtocolError::Missing("data")),
    };
    match kind {
        "ping" => {
            let t0 = number(data()?, "t0")?.ok_or(ProtocolError::Missing("t0"))?;
            Ok(PageMessage::Ping { t0 })
        }
        "report" => {
            let data = data()?;
            // A figure that is not a sensible one is as good as none; nobody is harmed by either.
            let figure = |name, most: f64| {
                number(data, name)
                    .map(|value| value.filter(|value| (0.0..=most).contains(value)).map(|value| value as f32))
            };
            Ok(PageMessage::Report(Report { delay_ms: figure("delay_ms", 600_000.0)?, fps: figure("fps", 1_000.0)? }))
        }
        // The two differ in what they are about and not in their form.
        "pointer" | "key" => parse_event(data()?).map(PageMessage::Input),
        "control" => {
            let wish = data()?.get("wish").ok_or(ProtocolError::Missing("wish"))?;
            Ok(PageMessage::Control(match wish.as_str().unwrap_or_default() {
                "ask" => BatonWish::Ask,
                "give" => BatonWish::GiveAway,
                _ => return Err(ProtocolError::Wrong("wish", "ask or give")),
            }))
        }
        "quality" => {
            let rung = data()?.get("rung").ok_or(ProtocolError::Missing("rung"))?;
            Ok(PageMessage::Quality(match rung.as_str().unwrap_or_default() {
                "auto" => Quality::Auto,
                "full" => Quality::Pinned(Rung::Full),
                "half" => Quality::Pinned(Rung::Half),
                "quarter" => Quality::Pinned(Rung::Quarter),
                _ => return Err(ProtocolError::Wrong("rung", "auto, full, half or quarter")),
            }))
        }
        "ack" => {
            let frame = data()?.get("frame").ok_or(ProtocolError::Missing("frame"))?;
            Ok(PageMessage::Ack { frame: frame.as_u64().ok_or(ProtocolError::Wrong("frame", "a whole number"))? })
        }
        _ => Ok(PageMessage::Unknown),
    }
}

/// Reads the body of `POST /api/v1/pointer`.
///
/// # Errors
/// When it is not of that form; none of its events counts then.
pub fn parse_pointer_post(bytes: &[u8]) -> Result<PointerPost, ProtocolError> {
    let body = parse_object(bytes)?;
    let session = body.get("session").ok_or(ProtocolError::Missing("session"))?;
    let session = session.as_str().filter(|name| (1..=LONGEST_SESSION_NAME).contains(&name.len()));
    let session = session.ok_or(ProtocolError::Wrong("session", "1 to 128 bytes of text"))?;
    let events = body.get("events").ok_or(ProtocolError::Missing("events"))?;
    let events = events.as_array().ok_or(ProtocolError::Wrong("events", "a list"))?;
    if events.len() > MOST_EVENTS {
        return Err(ProtocolError::TooManyEvents);
    }
    let read =
        |event: &Value| parse_event(event.as_object().ok_or(ProtocolError::Wrong("events", "a list of objects"))?);
    let events = events.iter().map(read).collect::<Result<_, _>>()?;
    Ok(PointerPost { session: session.to_owned(), events })
}

/// Reads an EVENT. A position outside the picture goes through: refusing and counting it is the pointer mapper's task.
fn parse_event(event: &Map<String, Value>) -> Result<InputEvent, ProtocolError> {
    let kind = event.get("kind").ok_or(ProtocolError::Missing("kind"))?;
    let time = number(event, "t")?;
    let kind = match kind.as_str().unwrap_or_default() {
        "key_down" => return parse_key(event, true, time),
        "key_up" => return parse_key(event, false, time),
        "text" => {
            let text = event.get("text").ok_or(ProtocolError::Missing("text"))?;
            let text = text.as_str().ok_or(ProtocolError::Wrong("text", "text"))?;
            return Ok(InputEvent::Text(text.to_owned()));
        }
        "move" => PointerKind::Move,
        "move_by" => {
            let by = |name| number(event, name).map(|by| by.unwrap_or(0.0));
            PointerKind::MoveBy { dx: by("dx")?, dy: by("dy")? }
        }
        "down" => PointerKind::Down(button(event)?),
        "up" => PointerKind::Up(button(event)?),
        "scroll" => PointerKind::Scroll { dx: notches(event, "dx")?, dy: notches(event, "dy")? },
        "release" => PointerKind::Release,
        _ => {
            let kinds = "move, move_by, down, up, scroll, release, key_down, key_up or text";
            return Err(ProtocolError::Wrong("kind", kinds));
        }
    };
    // While the page has caught the pointer it has no place.
    let here = event.get("here").and_then(Value::as_bool).unwrap_or(false);
    let needs_none = match kind {
        PointerKind::Up(_) | PointerKind::Release | PointerKind::MoveBy { .. } => true,
        PointerKind::Down(_) | PointerKind::Scroll { .. } => here,
        PointerKind::Move => false,
    };
    let position = match (coordinate(event, "x")?, coordinate(event, "y")?) {
        (Some(x), Some(y)) => Some((x, y)),
        // What is held has to come up wherever the pointer is.
        _ if needs_none => None,
        (None, _) => return Err(ProtocolError::Missing("x")),
        (_, None) => return Err(ProtocolError::Missing("y")),
    };
    let epoch = match event.get("epoch") {
        None | Some(Value::Null) => None,
        Some(epoch) => {
            let epoch = epoch.as_u64().and_then(|epoch| u32::try_from(epoch).ok());
            Some(epoch.ok_or(ProtocolError::Wrong("epoch", "a whole number"))?)
        }
    };
    let seq = event.get("seq").ok_or(ProtocolError::Missing("seq"))?;
    let seq = seq.as_u64().ok_or(ProtocolError::Wrong("seq", "a whole number"))?;
    Ok(InputEvent::Pointer(PointerEvent { kind, position, epoch, seq, time }))
}

fn parse_key(event: &Map<String, Value>, down: bool, time: Option<f64>) -> Result<InputEvent, ProtocolError> {
    const CODE: ProtocolError = ProtocolError::Wrong("code", "the code of a KeyboardEvent");
    let code = event.get("code").ok_or(ProtocolError::Missing("code"))?;
    let code = code.as_str().and_then(KeyCode::named).ok_or(CODE)?;
    let character = match event.get("char") {
        None | Some(Value::Null) => None,
        Some(text) => {
            let mut characters = text.as_str().unwrap_or_default().chars();
            let one = characters.next().filter(|_| characters.next().is_none());
            Some(one.ok_or(ProtocolError::Wrong("char", "one character"))?)
        }
    };
    Ok(InputEvent::Key(KeyEvent { code, character, down, time }))
}

fn parse_object(bytes: &[u8]) -> Result<Map<String, Value>, ProtocolError> {
    if bytes.len() > LONGEST_MESSAGE {
        return Err(ProtocolError::TooLong);
    }
    serde_json::from_slice(bytes).map_err(|_| ProtocolError::NotJson)
}

fn button(event: &Map<String, Value>) -> Result<Button, ProtocolError> {
    match event.get("button").ok_or(ProtocolError::Missing("button"))?.as_str().unwrap_or_default() {
        "left" => Ok(Button::Left),
        "right" => Ok(Button::Right),
        "middle" => Ok(Button::Middle),
        _ => Err(ProtocolError::Wrong("button", "left, right or middle")),
    }
}

fn notches(event: &Map<String, Value>, name: &'static str) -> Result<f32, ProtocolError> {
    Ok(number(event, name)?.unwrap_or(0.0).clamp(-MOST_NOTCHES, MOST_NOTCHES) as f32)
}

/// A coordinate; JSON writes a NaN as null, and it goes through as one.
fn coordinate(event: &Map<String, Value>, name: &'static str) -> Result<Option<f64>, ProtocolError> {
    match event.get(name) {
        Some(Value::Null) => Ok(Some(f64::NAN)),
        _ => number(event, name),
    }
}

/// A number, or `None` where it is absent or null.
fn number(data: &Map<String, Value>, name: &'static str) -> Result<Option<f64>, ProtocolError> {
    match data.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_f64().map(Some).ok_or(ProtocolError::Wrong(name, "a number")),
    }
}

/// Problem details as every error over HTTP carries them.
pub fn problem(status: u16, title: &str, detail: &str) -> Value {
    json!({ "type": "about:blank", "title": title, "status": status, "detail": detail })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(message: &Value) -> Result<PageMessage, ProtocolError> {
        parse_message(message.to_string().as_bytes())
    }

    #[test]
    fn an_event_reads_as_it_was_sent() {
        let event = json!({ "kind": "down", "x": 0.5, "y": 1, "button": "left", "epoch": 3, "seq": 7, "t": 12.5 });
        let expected = InputEvent::Pointer(PointerEvent {
            kind: PointerKind::Down(Button::Left),
            position: Some((0.5, 1.0)),
            epoch: Some(3),
            seq: 7,
            time: Some(12.5),
        });
        assert_eq!(parse(&json!({ "type": "pointer", "data": event })), Ok(PageMessage::Input(expected)));
    }

    #[test]
    fn keys_and_text_are_read() {
        let key = |kind: &str, char: Value| {
            let event = json!({ "kind": kind, "code": "KeyA", "char": char, "t": 3 });
            parse(&json!({ "type": "key", "data": event }))
        };
        let code = KeyCode::named("KeyA").expect("every keyboard has it");
        let expected = |character, down| {
            let event = KeyEvent { code, character, down, time: Some(3.0) };
            Ok(PageMessage::Input(InputEvent::Key(event)))
        };
        assert_eq!(key("key_down", json!("ä")), expected(Some('ä'), true));
        assert_eq!(key("key_up", Value::Null), expected(None, false));
        for wrong in [json!("ab"), json!(""), json!(7)] {
            assert!(key("key_down", wrong).is_err());
        }
        let text = json!({ "type": "key", "data": { "kind": "text", "text": "hello" } });
        assert_eq!(parse(&text), Ok(PageMessage::Input(InputEvent::Text("hello".to_owned()))));
        let wish = |wish: &str| parse(&json!({ "type": "control", "data": { "wish": wish } }));
        assert_eq!(wish("ask"), Ok(PageMessage::Control(BatonWish::Ask)));
        assert_eq!(wish("give"), Ok(PageMessage::Control(BatonWish::GiveAway)));
        assert!(wish("take").is_err());
    }

    fn pointer(event: InputEvent) -> PointerEvent {
        let InputEvent::Pointer(event) = event else { panic!("{event:?}") };
        event
    }

    #[test]
    fn an_up_needs_no_position_and_a_scroll_is_limited() {
        let post = json!({ "session": "a", "events": [
            { "kind": "up", "button": "right", "seq": 0 },
            { "kind": "release", "seq": 1 },
            { "kind": "scroll", "x": 0, "y": 0, "dy": -1e9, "seq": 2 },
        ]});
        let events = parse_pointer_post(post.to_string().as_bytes()).expect("all three are events").events;
        assert_eq!(pointer(events[0].clone()).position, None);
        assert_eq!(pointer(events[2].clone()).kind, PointerKind::Scroll { dx: 0.0, dy: -20.0 });
    }

    #[test]
    fn what_is_not_a_position_goes_through_to_be_counted() {
        let event = json!({ "kind": "move", "x": null, "y": 7.5, "seq": 1 });
        let Ok(PageMessage::Input(event)) = parse(&json!({ "type": "pointer", "data": event })) else {
            panic!("it is an event");
        };
        let (x, y) = pointer(event).position.expect("it has a position");
        assert!(x.is_nan());
        assert_eq!(y, 7.5);
    }

    #[test]
    fn malformed_messages_are_errors_and_unknown_types_are_not() {
        let event = |event: Value| json!({ "type": "pointer", "data": event });
        for wrong in [
            json!([]),
            json!({}),
            json!({ "type": 7 }),
            json!({ "type": "ping" }),
            json!({ "type": "ping", "data": {} }),
            json!({ "type": "ping", "data": { "t0": "now" } }),
            json!({ "type": "report", "data": 7 }),
            json!({ "type": "quality", "data": { "rung": "best" } }),
            json!({ "type": "ack", "data": { "frame": -1 } }),
            event(json!({ "kind": "jump", "seq": 1 })),
            event(json!({ "kind": "move", "x": 0.5, "seq": 1 })),
            event(json!({ "kind": "move", "x": 0.5, "y": "0.5", "seq": 1 })),
            event(json!({ "kind": "move", "x": 0.5, "y": 0.5 })),
            event(json!({ "kind": "move", "x": 0.5, "y": 0.5, "seq": -1 })),
            event(json!({ "kind": "move", "x": 0.5, "y": 0.5, "seq": 1, "epoch": 1.5 })),
            event(json!({ "kind": "down", "x": 0.5, "y": 0.5, "seq": 1 })),
            event(json!({ "kind": "up", "button": "fourth", "seq": 1 })),
        ] {
            assert!(parse(&wrong).is_err(), "{wrong}");
        }
        for bytes in [&b""[..], b"{", b"\xff\xfe", b"null", &[b'['; 9_000], &[b' '; LONGEST_MESSAGE + 1]] {
            assert!(parse_message(bytes).is_err());
        }
        assert_eq!(parse(&json!({ "type": "from_the_future" })), Ok(PageMessage::Unknown));
    }

    #[test]
    fn a_report_keeps_what_is_sensible() {
        let report = json!({ "type": "report", "data": { "delay_ms": 41, "fps": 1e9, "width": null } });
        assert_eq!(parse(&report), Ok(PageMessage::Report(Report { delay_ms: Some(41.0), fps: None })));
    }

    #[test]
    fn a_page_chooses_its_size_and_acknowledges_frames() {
        let quality = |rung: &str| parse(&json!({ "type": "quality", "data": { "rung": rung } }));
        assert_eq!(quality("auto"), Ok(PageMessage::Quality(Quality::Auto)));
        assert_eq!(quality("half"), Ok(PageMessage::Quality(Quality::Pinned(Rung::Half))));
        assert_eq!(parse(&json!({ "type": "ack", "data": { "frame": 7 } })), Ok(PageMessage::Ack { frame: 7 }));
    }

    #[test]
    fn the_head_of_a_frame_has_its_fields_at_the_documented_places() {
        let head = FrameHead {
            epoch: 3,
            frame: 7,
            pointer: true,
            captured_us: 10,
            filtered_us: 11,
            encoded_us: 12,
            sent_us: 13,
        };
        let bytes = head.to_bytes();
        assert_eq!(bytes[..8], [1, 48, 1, 0, 0, 0, 0, 3]);
        let numbers: Vec<u64> =
            bytes[8..].as_chunks::<8>().0.iter().map(|number| u64::from_be_bytes(*number)).collect();
        assert_eq!(numbers, [7, 10, 11, 12, 13]);
    }

    #[test]
    fn host_messages_have_a_type_and_data() {
        let hello = HostMessage::Hello { protocol: 1, version: "0.1.0", codec: "h264", id: 1, sizes: false };
        assert_eq!(
            hello.to_text(),
            r#"{"type":"hello","data":{"protocol":1,"version":"0.1.0","codec":"h264","id":1,"sizes":false}}"#
        );
        let state = json!({ "source": { "name": "Screen 1" }, "picture": { "width": 1280, "height": 720 },
            "geometry": { "epoch": 3, "pointer": true }, "control": true, "paused": false,
            "tune": true, "chain": 7, "fps": { "captured": 30.0, "filtered": 30.0 }, "viewers": [{}, {}],
            "pointer": { "holder": 1, "asking": [3, 4], "local": false } });
        assert_eq!(
            HostMessage::State(ViewerState::from_state(&state, Roles::ALL, 1)).to_text(),
            r#"{"type":"state","data":{"source":"Screen 1","width":1280,"height":720,"fps":30.0,"viewers":2,"control":true,"keys":true,"pointer":true,"paused":false,"tune":true,"chain":7,"roles":["watch","point","click","type","tune"],"holder":"you","asking":2,"local":false}}"#
        );
        let stranger = ViewerState::from_state(&state, Roles::WATCH, 1);
        assert!(!stranger.control && !stranger.keys && !stranger.tune);
        assert_eq!(ViewerState::from_state(&json!(7), Roles::NONE, 1), ViewerState::default());
    }
}

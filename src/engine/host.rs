//! What the publisher asks of the program: who may do what, the state, the chain, the pointer.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Weak};
use std::time::Instant;

use serde_json::{Map, Value, json};

use super::Parts;
use crate::filter::{self, Chain, ChainError, ParamKind, ParamSpec};
use crate::input::{BatonWish, Holder, InputEvent};
use crate::publish::{AccessPolicy, Door, Host, IceServer};
use crate::receive::Inbox;
use crate::settings::{self, Entry};

/// The engine as the publisher sees it. Weak, because the engine owns the publisher.
pub struct EngineHost(pub Weak<Parts>);

impl EngineHost {
    fn parts(&self) -> Option<Arc<Parts>> {
        self.0.upgrade()
    }
}

impl Host for EngineHost {
    fn access(&self) -> AccessPolicy {
        let Some(parts) = self.parts() else { return AccessPolicy::default() };
        let settings = parts.handle.store.get();
        let share = &settings.share;
        AccessPolicy {
            secret: if share.entry == Entry::Link { share.secret.clone() } else { String::new() },
            watch_anyone: share.watch_anyone,
            control: share.on && share.control,
            publish: share.on && share.accept,
            ask: share.entry == Entry::Approve,
            hosts: share.hosts.clone(),
            most_viewers: share.most_viewers as usize,
        }
    }

    fn door(&self) -> Arc<Door> {
        // Without an engine nobody is known, and so nobody is let in.
        self.parts().map_or_else(Arc::default, |parts| Arc::clone(&parts.door))
    }

    fn state(&self) -> Value {
        self.parts().map_or(Value::Null, |parts| state(&parts))
    }

    fn chain(&self) -> Value {
        self.parts().map_or(Value::Null, |parts| parts.handle.store.get().chain().to_remote_json())
    }

    fn patch_chain(&self, patch: &Value) -> Result<Value, ChainError> {
        let Some(parts) = self.parts() else { return Ok(Value::Null) };
        parts.handle.store.edit(|settings| {
            let mut chain = settings.chain();
            chain.merge_patch(patch)?;
            if !chain.keeps_hidden_regions_of(&settings.chain()) {
                return Err(ChainError::HiddenRegion);
            }
            if !chain.reaches_no_further_than(&settings.chain()) {
                return Err(ChainError::HostOnly);
            }
            let remote = chain.to_remote_json();
            *settings.chain_mut() = chain;
            Ok(remote)
        })
    }

    fn filters(&self) -> Value {
        describe_filters()
    }

    fn clock_us(&self, at: Instant) -> u64 {
        self.parts().map_or(0, |parts| parts.clock_us(at))
    }

    fn input(&self, session: u64, event: InputEvent) {
        if let Some(parts) = self.parts() {
            parts.input.event(session, event, Instant::now());
        }
    }

    fn wish_control(&self, session: u64, wish: BatonWish) {
        if let Some(parts) = self.parts() {
            parts.input.wish(session, wish);
        }
    }

    fn end_pointer(&self, session: u64) {
        if let Some(parts) = self.parts() {
            parts.input.end(session);
        }
    }

    fn ice_servers(&self) -> Vec<IceServer> {
        let Some(parts) = self.parts() else { return Vec::new() };
        let settings = parts.handle.store.get();
        let known = |server: &settings::IceServer| IceServer {
            url: server.url.clone(),
            username: server.username.clone(),
            credential: server.credential.clone(),
        };
        settings.share.ice_servers.iter().map(known).collect()
    }

    fn inbox(&self) -> Option<Arc<Inbox>> {
        self.parts().map(|parts| Arc::clone(&parts.handle.inbox))
    }
}

/// A number that is another one when the chain is.
fn revision(chain: &Chain) -> u32 {
    let mut hasher = DefaultHasher::new();
    chain.to_remote_json().to_string().hash(&mut hasher);
    hasher.finish() as u32
}

/// The answer of `GET /state`.
fn state(parts: &Parts) -> Value {
    let status = parts.handle.status.get();
    let settings = parts.handle.store.get();
    let control = parts.input.control(Instant::now());
    let holder = match control.holder {
        Holder::Nobody => Value::Null,
        Holder::Session(session) => session.into(),
        Holder::Host => "host".into(),
    };
    let newest = parts.processing.facts().newest.clone();
    let geometry = newest
        .as_ref()
        .map(|frame| json!({ "epoch": frame.geometry.epoch, "pointer": frame.geometry.desktop_from_source.is_some() }));
    let picture = newest.as_ref().map(|frame| json!({ "width": frame.size.width, "height": frame.size.height }));
    let encoders: Vec<Value> = status
        .encoders
        .iter()
        .map(|encoder| {
            json!({ "codec": encoder.codec, "encoded": encoder.encoded, "keyframes": encoder.keyframes,
                    "viewers": encoder.viewers, "ms": encoder.ms, "kbps": encoder.kbps,
                    "gives_way": encoder.gives_way })
        })
        .collect();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "source": { "id": status.source.as_ref().map(ToString::to_string), "name": status.source_name },
        "picture": picture,
        "geometry": geometry,
        "control": settings.share.on && settings.share.control,
        "tune": settings.share.on && settings.share.tune,
        "chain": revision(&settings.chain()),
        "paused": false,
        "fps": { "captured": status.captured_fps, "filtered": status.filtered_fps },
        "filter_ms": status.filter_ms,
        "viewers": status.viewers,
        "publishing": { "host": status.outgoing.host, "state": status.outgoing.state,
                        "text": status.outgoing.sentence() },
        "encoders": encoders,
        "frames": { "captured": status.frames.captured, "filtered": status.frames.filtered,
                    "dropped": { "filter_busy": status.frames.dropped } },
        "pointer": { "received": status.control.received, "injected": status.control.injected,
                     "refused": status.control.refused, "holder": holder, "asking": control.asking,
                     "local": control.local },
    })
}

/// Every filter with its parameters, for programs.
pub fn describe_filters() -> Value {
    let filters = filter::all().into_iter().map(|spec| {
        let params: Vec<Value> = spec.params.iter().map(describe_param).collect();
        json!({ "id": spec.id, "label": spec.label, "class": spec.class.label(), "doc": spec.doc.trim(),
                "params": params })
    });
    Value::Array(filters.collect())
}

fn describe_param(spec: &ParamSpec) -> Value {
    let mut described = Map::new();
    let mut put = |key: &str, value: Value| described.insert(key.to_owned(), value);
    put("id", spec.id.into());
    put("label", spec.label.into());
    put("doc", spec.doc.trim().into());
    put("unit", spec.unit.suffix().trim().into());
    put("default", serde_json::to_value(spec.kind.default_value()).unwrap_or(Value::Null));
    // Shortest decimals: 0.95 and not the nearest double of the nearest float.
    let number = |value: f32| value.to_string().parse::<f64>().map_or(Value::Null, Value::from);
    match spec.kind {
        ParamKind::Float { min, max, step, logarithmic, .. } => {
            put("type", "number".into());
            put("min", number(min));
            put("max", number(max));
            put("step", number(step));
            put("logarithmic", logarithmic.into());
        }
        ParamKind::Int { min, max, step, .. } => {
            put("type", "integer".into());
            put("min", min.into());
            put("max", max.into());
            put("step", step.into());
        }
        ParamKind::Bool { .. } => {
            put("type", "boolean".into());
        }
        ParamKind::Choice { options, .. } => {
            put("type", "choice".into());
            put("options", options.iter().map(|(id, label)| json!({ "id": id, "label": label })).collect());
        }
        ParamKind::Color { .. } => {
            put("type", "color".into());
        }
        ParamKind::Text { .. } => {
            put("type", "text".into());
        }
        ParamKind::File { extensions } => {
            put("type", "file".into());
            put("extensions", extensions.split_whitespace().collect());
        }
        ParamKind::Curve { .. } => {
            put("type", "curve".into());
        }
    }
    Value::Object(described)
}

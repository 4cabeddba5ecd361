//! Presets: named chains, a dozen of them built in. What is read from files is judged here before anything is taken from
//! it; where the user's own are kept is the folder's business.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::filter::{Chain, ChainError, Entry, Filter, ParamKind, create};

/// The version written into preset files.
pub const PRESET_VERSION: u64 = 1;
/// A preset of the most filters with the longest texts is far below this.
pub const MOST_BYTES: u64 = 256 * 1024;
/// Nothing that the program writes is nested deeper than a third of this. The parameters of unknown filters are kept
/// inside the settings, which must not become too deep to be read again.
const MOST_DEPTH: usize = 32;
/// Characters of a name.
const MOST_NAME: usize = 60;
/// Characters of a description.
const MOST_ABOUT: usize = 300;

/// A chain with a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    pub name: String,
    /// A sentence about what it is good for; may be empty.
    pub about: String,
    pub chain: Chain,
}

/// A preset that came with the program; `id` is permanent.
#[derive(Debug, Clone, PartialEq)]
pub struct BuiltIn {
    pub id: &'static str,
    pub preset: Preset,
}

/// What a `.json` file was found to hold.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    Preset(Preset),
    Chain(Chain),
}

/// Why nothing could be read.
#[derive(Debug, thiserror::Error)]
pub enum PresetError {
    #[error("it can't be read: {0}")]
    Read(#[from] std::io::Error),
    #[error("it is larger than {} KiB", MOST_BYTES / 1024)]
    TooLarge,
    #[error("it is nested too deeply")]
    TooDeep,
    #[error("this is not JSON: {0}")]
    Json(#[source] serde_json::Error),
    #[error("this is not a preset: {0}")]
    Shape(&'static str),
    #[error("this preset was written by a newer Lenscast (version {0}); update to open it")]
    Version(u64),
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// The files in `assets/presets/`, in the order of the gallery.
const BUILT_IN: [(&str, &str); 12] = [
    ("readable_screen", include_str!("../../assets/presets/readable_screen.json")),
    ("presenter", include_str!("../../assets/presets/presenter.json")),
    ("clean_webcam", include_str!("../../assets/presets/clean_webcam.json")),
    ("portrait", include_str!("../../assets/presets/portrait.json")),
    ("high_contrast", include_str!("../../assets/presets/high_contrast.json")),
    ("color_blind_safe", include_str!("../../assets/presets/color_blind_safe.json")),
    ("night", include_str!("../../assets/presets/night.json")),
    ("privacy", include_str!("../../assets/presets/privacy.json")),
    ("comic", include_str!("../../assets/presets/comic.json")),
    ("sketch", include_str!("../../assets/presets/sketch.json")),
    ("vintage", include_str!("../../assets/presets/vintage.json")),
    ("thermal", include_str!("../../assets/presets/thermal.json")),
];

/// The built-in presets. They are read when they are first asked for, after other people's filters were registered.
pub fn built_in() -> &'static [BuiltIn] {
    static READ: LazyLock<Vec<BuiltIn>> = LazyLock::new(|| {
        let read = |(id, text): (&'static str, &str)| match parse(text).and_then(|json| Preset::from_json(&json)) {
            Ok(preset) => Some(BuiltIn { id, preset }),
            Err(error) => {
                tracing::error!("the built-in preset {id} is damaged: {error}");
                None
            }
        };
        BUILT_IN.into_iter().filter_map(read).collect()
    });
    &READ
}

impl Preset {
    /// Reads what [`Preset::to_text`] wrote. Numbers out of range are clamped and unknown filters kept.
    ///
    /// # Errors
    /// When it is not a preset; nothing is taken from it then.
    pub fn from_json(json: &Value) -> Result<Self, PresetError> {
        let document = json.as_object().ok_or(PresetError::Shape("it has to be an object"))?;
        match document.get("version").and_then(Value::as_u64) {
            Some(PRESET_VERSION) => {}
            Some(newer) if newer > PRESET_VERSION => return Err(PresetError::Version(newer)),
            _ => return Err(PresetError::Shape("`version` has to be 1")),
        }
        let name = document.get("name").and_then(Value::as_str).and_then(clean_name);
        let name = name.ok_or(PresetError::Shape("it needs a `name`"))?;
        let about = match document.get("about") {
            None => String::new(),
            Some(about) => {
                let about = about.as_str().ok_or(PresetError::Shape("`about` has to be text"))?;
                clean(about, MOST_ABOUT)
            }
        };
        let chain = document.get("chain").ok_or(PresetError::Shape("it needs a `chain`"))?;
        Ok(Self { name, about, chain: Chain::from_value(chain)? })
    }

    /// The preset as it is written to a file.
    pub fn to_text(&self) -> String {
        let mut document = json!({ "version": PRESET_VERSION, "name": self.name, "chain": self.chain.to_json() });
        if !self.about.is_empty() {
            document["about"] = self.about.as_str().into();
        }
        format!("{document:#}\n")
    }
}

/// A name without control characters and spaces around it, cut to its longest; `None` when nothing is left.
pub fn clean_name(name: &str) -> Option<String> {
    Some(clean(name, MOST_NAME)).filter(|name| !name.is_empty())
}

fn clean(text: &str, most: usize) -> String {
    let visible: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    visible.trim().chars().take(most).collect::<String>().trim_end().to_owned()
}

/// Reads the JSON of a preset or a chain from a file, within limits of size and depth.
///
/// # Errors
/// When there is no such file, or it is beyond the limits, or no JSON.
pub fn read(path: &Path) -> Result<Value, PresetError> {
    let file = File::open(path)?;
    let about = file.metadata()?;
    if !about.is_file() {
        return Err(PresetError::Read(std::io::Error::other("it is not a file")));
    }
    let mut text = String::new();
    file.take(MOST_BYTES + 1).read_to_string(&mut text)?;
    parse(&text)
}

/// The same from a text.
///
/// # Errors
/// When the text is beyond the limits, or no JSON.
pub fn parse(text: &str) -> Result<Value, PresetError> {
    if text.len() as u64 > MOST_BYTES {
        return Err(PresetError::TooLarge);
    }
    let json: Value = serde_json::from_str(text).map_err(|error| {
        // The library's own limit is far beyond ours and says so in words that help nobody.
        if error.to_string().contains("recursion limit") { PresetError::TooDeep } else { PresetError::Json(error) }
    })?;
    if depth(&json) > MOST_DEPTH { Err(PresetError::TooDeep) } else { Ok(json) }
}

fn depth(json: &Value) -> usize {
    let deepest = match json {
        Value::Array(items) => items.iter().map(depth).max(),
        Value::Object(fields) => fields.values().map(depth).max(),
        _ => return 0,
    };
    1 + deepest.unwrap_or(0)
}

/// Whether it is a preset or a bare chain, and that.
///
/// # Errors
/// When it is neither.
pub fn content(json: &Value) -> Result<Content, PresetError> {
    if json.get("chain").is_some() {
        Preset::from_json(json).map(Content::Preset)
    } else {
        Ok(Content::Chain(Chain::from_value(json)?))
    }
}

/// The first parameter whose value was out of range or too long, as `left of crop`: it was brought into its range when
/// the chain was read. `filters` is the chain's list in the file.
pub fn first_clamped(filters: &Value, chain: &Chain) -> Option<String> {
    let read = chain.to_json();
    let pairs = filters.as_array()?.iter().zip(read.get("filters")?.as_array()?);
    for (given, read) in pairs {
        let Some(params) = given.get("params").and_then(Value::as_object) else { continue };
        for (id, given_value) in params {
            let differs = match (given_value, &read["params"][id]) {
                (Value::Number(given), Value::Number(read)) => {
                    let (given, read) = (given.as_f64()?, read.as_f64()?);
                    (given - read).abs() > 1e-6 * given.abs().max(1.0)
                }
                (Value::String(given), Value::String(_)) => given.len() > ParamKind::MOST_TEXT,
                _ => false,
            };
            if differs {
                return Some(format!("`{id}` of `{}`", given.get("filter")?.as_str()?));
            }
        }
    }
    None
}

/// The chain of a source that had `current`, once the preset is applied: replaced whole, except that hidden regions stay
/// as they are, because they are there for privacy and not for looks.
///
/// # Errors
/// [`ChainError::TooLong`] when both together are too many filters.
pub fn applied(preset: &Chain, current: &Chain) -> Result<Chain, ChainError> {
    let mut chain = current.clone();
    for item in current.items().iter().filter(|item| !hides(&item.entry)) {
        chain.remove(item.key);
    }
    for item in preset.items() {
        let known = |other: &&crate::filter::ChainItem| other.entry == item.entry && other.enabled == item.enabled;
        if hides(&item.entry) && current.items().iter().any(|other| known(&other)) {
            continue;
        }
        // A chain gives keys to filters only; what is unknown takes the place of one.
        let stand_in = match &item.entry {
            Entry::Filter(filter) => Some(filter.clone()),
            Entry::Unknown { .. } => create("invert"),
        };
        let key = stand_in.and_then(|filter| chain.add(filter)).ok_or(ChainError::TooLong)?;
        if let Some(added) = chain.item_mut(key) {
            added.enabled = item.enabled;
            added.entry = item.entry.clone();
        }
    }
    Ok(chain)
}

/// Whether `current` is the preset, hidden regions aside.
pub fn is_applied(preset: &Chain, current: &Chain) -> bool {
    let shown = |chain: &Chain| -> Vec<(bool, Entry)> {
        let items = chain.items().iter().filter(|item| !hides(&item.entry));
        items.map(|item| (item.enabled, item.entry.clone())).collect()
    };
    shown(preset) == shown(current)
}

fn hides(entry: &Entry) -> bool {
    matches!(entry, Entry::Filter(Filter::Redact(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(filters: Value) -> Chain {
        Chain::from_value(&json!({ "version": 1, "filters": filters })).unwrap()
    }

    #[test]
    fn a_preset_reads_back_as_it_was_written_with_what_is_unknown() {
        let filters = json!([{ "filter": "crop" }, { "filter": "from_the_future", "params": { "depth": [1] } }]);
        let preset = Preset { name: "Mine".to_owned(), about: "For tests.".to_owned(), chain: chain(filters) };
        let read = Preset::from_json(&parse(&preset.to_text()).unwrap()).unwrap();
        assert_eq!(read, preset);
    }

    #[test]
    fn what_is_no_preset_is_refused_in_one_sentence() {
        let nested = format!("{{\"version\":1,\"name\":\"a\",\"chain\":{}{}}}", "[".repeat(40), "]".repeat(40));
        let very_nested = format!("{}{}", "[".repeat(4_000), "]".repeat(4_000));
        let many = json!({ "version": 1, "name": "a", "chain": { "version": 1,
            "filters": vec![json!({ "filter": "invert" }); 65] } });
        for (text, reason) in [
            ("", "this is not JSON"),
            ("[]", "it has to be an object"),
            (r#"{"version":1,"chain":{}}"#, "it needs a `name`"),
            (r#"{"version":1,"name":"\u0007 ","chain":{}}"#, "it needs a `name`"),
            (r#"{"version":1,"name":"a"}"#, "it needs a `chain`"),
            (r#"{"version":1,"name":"a","chain":7}"#, "not a filter chain"),
            (r#"{"version":2,"name":"a"}"#, "newer Lenscast (version 2)"),
            (r#"{"name":"a"}"#, "`version` has to be 1"),
            (r#"{"version":1,"name":"a","about":[],"chain":{}}"#, "`about` has to be text"),
            (nested.as_str(), "nested too deeply"),
            (very_nested.as_str(), "nested too deeply"),
            (&many.to_string(), "at most 64 filters"),
            (&" ".repeat(300 * 1024), "larger than 256 KiB"),
        ] {
            let error = parse(text).and_then(|json| Preset::from_json(&json)).unwrap_err().to_string();
            assert!(error.contains(reason) && !error.contains('\n'), "{error} instead of {reason}");
        }
    }

    #[test]
    fn a_value_out_of_range_is_named() {
        let filters =
            json!([{ "filter": "invert" }, { "filter": "crop", "params": { "left": 0.123456789, "top": 7 } }]);
        assert_eq!(first_clamped(&filters, &chain(filters.clone())).as_deref(), Some("`top` of `crop`"));
        let fine = json!([{ "filter": "crop", "params": { "left": 0.123456789 } }]);
        assert_eq!(first_clamped(&fine, &chain(fine.clone())), None);
    }

    #[test]
    fn a_preset_replaces_everything_but_what_hides_a_region() {
        let current = chain(json!([{ "filter": "crop" }, { "filter": "redact", "params": { "left": 0.5 } }]));
        let preset = chain(json!([
            { "filter": "invert", "enabled": false },
            { "filter": "from_the_future", "params": { "depth": 1 } },
        ]));
        let after = applied(&preset, &current).unwrap();
        assert!(after.keeps_hidden_regions_of(&current));
        let ids: Vec<Value> =
            after.to_json()["filters"].as_array().unwrap().iter().map(|item| item["filter"].clone()).collect();
        assert_eq!(ids, ["redact", "invert", "from_the_future"]);
        assert_eq!(after.to_json()["filters"][2]["params"], json!({ "depth": 1 }));
        assert!(is_applied(&preset, &after) && !is_applied(&preset, &current));
        assert_eq!(applied(&preset, &after).unwrap().items().len(), 3);
    }

    #[test]
    fn hidden_regions_and_a_full_preset_are_too_long_together() {
        let current = chain(json!([{ "filter": "redact" }]));
        let preset = chain(json!(vec![json!({ "filter": "invert" }); 64]));
        assert!(matches!(applied(&preset, &current), Err(ChainError::TooLong)));
    }

    #[test]
    fn every_built_in_preset_is_read_in_range_and_has_a_name_of_its_own() {
        assert_eq!(built_in().len(), BUILT_IN.len());
        for ((id, text), preset) in BUILT_IN.iter().zip(built_in()) {
            assert_eq!(*id, preset.id);
            assert!(!preset.preset.about.is_empty(), "{id}");
            assert_eq!(built_in().iter().filter(|other| other.preset.name == preset.preset.name).count(), 1, "{id}");
            let json = parse(text).unwrap();
            assert_eq!(first_clamped(&json["chain"]["filters"], &preset.preset.chain), None, "{id}");
        }
    }
}

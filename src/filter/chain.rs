//! The user's chain of filters: a list that is edited, saved as JSON, and changed from afar by JSON Merge Patch.

use serde_json::{Map, Value, json};

use super::registry::{self, Filter};
use super::spec::{Class, ParamKind, ParamSpec};
use super::value::ParamError;

/// The version written into chain files.
pub const CHAIN_VERSION: u64 = 1;

/// The longest chain; beyond it a file is refused. Far above what a picture survives.
pub const MOST_FILTERS: usize = 64;

/// One place in the chain.
#[derive(Debug, Clone, PartialEq)]
pub struct ChainItem {
    /// Names the item within its chain for as long as it lives, wherever it is moved.
    pub key: u32,
    pub enabled: bool,
    pub entry: Entry,
}

/// A filter, or what a newer version of the program left behind.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    Filter(Filter),
    /// An unknown filter: shown as unavailable, does nothing, saved back unchanged.
    Unknown {
        id: String,
        params: Value,
    },
}

/// Filters in the order in which they run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Chain {
    items: Vec<ChainItem>,
    last_key: u32,
}

/// Why a chain could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    #[error("this is not a filter chain: {0}")]
    Shape(String),
    #[error("this chain was written by a newer Lenscast (version {0}); update to open it")]
    Version(u64),
    #[error("there is no filter `{0}`; `lenscast list` shows all of them")]
    UnknownFilter(String),
    #[error("the chain has no item `{0}`")]
    UnknownItem(String),
    #[error("a chain holds at most {MOST_FILTERS} filters")]
    TooLong,
    #[error("hidden regions can only be changed at the host itself")]
    HiddenRegion,
    #[error("files, other sources and added programs can only be chosen at the host itself")]
    HostOnly,
    #[error(transparent)]
    Param(#[from] ParamError),
    #[error("this is not JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl Chain {
    pub fn items(&self) -> &[ChainItem] {
        &self.items
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub fn item(&self, key: u32) -> Option<&ChainItem> {
        self.items.iter().find(|item| item.key == key)
    }

    pub fn item_mut(&mut self, key: u32) -> Option<&mut ChainItem> {
        self.items.iter_mut().find(|item| item.key == key)
    }

    /// The filter behind a key, to change its parameters.
    pub fn filter_mut(&mut self, key: u32) -> Option<&mut Filter> {
        match &mut self.item_mut(key)?.entry {
            Entry::Filter(filter) => Some(filter),
            Entry::Unknown { .. } => None,
        }
    }

    /// Adds a filter at the end and gives its key; `None` when the chain is full.
    pub fn add(&mut self, filter: Filter) -> Option<u32> {
        self.push(true, Entry::Filter(filter)).ok()
    }

    pub fn remove(&mut self, key: u32) {
        self.items.retain(|item| item.key != key);
    }

    /// Moves an item to a place, 0 for the first; beyond the end means the end.
    pub fn move_to(&mut self, key: u32, place: usize) {
        if let Some(from) = self.items.iter().position(|item| item.key == key) {
            let item = self.items.remove(from);
            self.items.insert(place.min(self.items.len()), item);
        }
    }

    fn push(&mut self, enabled: bool, entry: Entry) -> Result<u32, ChainError> {
        if self.items.len() >= MOST_FILTERS {
            return Err(ChainError::TooLong);
        }
        self.last_key += 1;
        self.items.push(ChainItem { key: self.last_key, enabled, entry });
        Ok(self.last_key)
    }

    /// The chain as it is written to a file.
    pub fn to_json(&self) -> Value {
        let filters: Vec<Value> = self.items.iter().map(item_to_json).collect();
        json!({ "version": CHAIN_VERSION, "filters": filters })
    }

    /// Reads a chain file. Numbers out of range are clamped and unknown filters kept.
    ///
    /// # Errors
    /// When the text is not a chain; nothing is taken from it then.
    pub fn from_json(text: &str) -> Result<Self, ChainError> {
        Self::from_value(&serde_json::from_str(text)?)
    }

    /// The same from JSON that was read already.
    ///
    /// # Errors
    /// When the value is not a chain.
    pub fn from_value(value: &Value) -> Result<Self, ChainError> {
        let document = value.as_object().ok_or_else(|| ChainError::Shape("it has to be an object".to_owned()))?;
        match document.get("version").and_then(Value::as_u64) {
            Some(CHAIN_VERSION) => {}
            Some(newer) if newer > CHAIN_VERSION => return Err(ChainError::Version(newer)),
            _ => return Err(ChainError::Shape(format!("`version` has to be {CHAIN_VERSION}"))),
        }
        let filters = document.get("filters").and_then(Value::as_array);
        let filters = filters.ok_or_else(|| ChainError::Shape("`filters` has to be a list".to_owned()))?;
        let mut chain = Self::default();
        for filter in filters {
            let item =
                filter.as_object().ok_or_else(|| ChainError::Shape("a filter has to be an object".to_owned()))?;
            chain.push_json(item, UnknownFilter::Kept)?;
        }
        Ok(chain)
    }

    /// The chain as remote clients see it: items by key, and their order.
    pub fn to_remote_json(&self) -> Value {
        let filters: Map<String, Value> =
            self.items.iter().map(|item| (item.key.to_string(), item_to_json(item))).collect();
        let order: Vec<String> = self.items.iter().map(|item| item.key.to_string()).collect();
        json!({ "filters": filters, "order": order })
    }

    /// Applies a JSON Merge Patch (RFC 7396) to what [`Chain::to_remote_json`] shows: all of it or, on an error, nothing.
    ///
    /// # Errors
    /// When the patch is not of that form, or names what does not exist.
    pub fn merge_patch(&mut self, patch: &Value) -> Result<(), ChainError> {
        let patch = patch.as_object().ok_or_else(|| ChainError::Shape("the patch has to be an object".to_owned()))?;
        if let Some(other) = patch.keys().find(|key| !matches!(key.as_str(), "filters" | "order")) {
            let name: String = other.chars().take(40).collect();
            return Err(ChainError::Shape(format!("`{name}` is neither `filters` nor `order`")));
        }
        let mut changed = self.clone();
        if let Some(filters) = patch.get("filters") {
            let filters = filters.as_object();
            for (key, change) in filters.ok_or_else(|| ChainError::Shape("`filters` has to be an object".to_owned()))? {
                changed.patch_item(key, change)?;
            }
        }
        if let Some(order) = patch.get("order") {
            changed.reorder(order)?;
        }
        *self = changed;
        Ok(())
    }

    /// Whether every hidden region of `self` is in `other` unchanged: nobody far away may uncover what the host hides.
    pub fn keeps_hidden_regions_of(&self, other: &Self) -> bool {
        let hides = |item: &&ChainItem| matches!(&item.entry, Entry::Filter(Filter::Redact(_)));
        other.items.iter().filter(hides).all(|hidden| self.item(hidden.key) == Some(hidden))
    }

    /// Whether `self` reaches nothing of the host's that `other` did not: no other file is read, no other source captured,
    /// no added program run. A patch that came from afar must not.
    pub fn reaches_no_further_than(&self, other: &Self) -> bool {
        self.items.iter().all(|item| {
            let Entry::Filter(filter) = &item.entry else { return true };
            let before = other.item(item.key);
            let reaches = |param: &ParamSpec| matches!(param.kind, ParamKind::File { .. }) || is_source(filter, param);
            let value = |filter: &Filter, param: &ParamSpec| filter.params().get(param.id);
            let same = |param: &ParamSpec| match before.map(|before| &before.entry) {
                Some(Entry::Filter(before)) => value(filter, param) == value(before, param),
                _ => value(filter, param) == Some(param.kind.default_value()),
            };
            let chosen_here = filter.spec().params.iter().filter(|param| reaches(param)).all(same);
            let runs =
                filter.spec().class == Class::External || filter.spec().params.iter().any(|p| is_source(filter, p));
            let ran = before.is_some_and(|before| before.enabled);
            chosen_here && (!runs || !item.enabled || ran)
        })
    }

    fn patch_item(&mut self, key: &str, change: &Value) -> Result<(), ChainError> {
        let number = key.parse::<u32>().ok().filter(|number| self.item(*number).is_some());
        let change = match change {
            Value::Null => {
                self.remove(number.ok_or_else(|| unknown_item(key))?);
                return Ok(());
            }
            Value::Object(change) => change,
            _ => return Err(ChainError::Shape("a filter has to be an object, or null to remove it".to_owned())),
        };
        let Some(number) = number else {
            return self.push_json(change, UnknownFilter::Refused).map(|_| ());
        };
        let item = self.item_mut(number).ok_or_else(|| unknown_item(key))?;
        if let Some(enabled) = change.get("enabled") {
            item.enabled = read_enabled(enabled)?;
        }
        match &mut item.entry {
            Entry::Filter(filter) => {
                if change.get("filter").is_some_and(|id| id.as_str() != Some(filter.spec().id)) {
                    return Err(ChainError::Shape("an item can't become another filter; add a new one".to_owned()));
                }
                change.get("params").map_or(Ok(()), |params| set_params(filter, params))
            }
            Entry::Unknown { .. } if change.contains_key("params") => {
                Err(ChainError::Shape("the parameters of an unavailable filter can't be changed".to_owned()))
            }
            Entry::Unknown { .. } => Ok(()),
        }
    }

    fn reorder(&mut self, order: &Value) -> Result<(), ChainError> {
        let shape = || ChainError::Shape("`order` has to be a list of item keys".to_owned());
        for (place, key) in order.as_array().ok_or_else(shape)?.iter().enumerate() {
            let key = key.as_str().ok_or_else(shape)?;
            let number = key.parse().ok().filter(|number| self.item(*number).is_some());
            self.move_to(number.ok_or_else(|| unknown_item(key))?, place);
        }
        Ok(())
    }

    fn push_json(&mut self, item: &Map<String, Value>, unknown: UnknownFilter) -> Result<u32, ChainError> {
        let id = item.get("filter").and_then(Value::as_str);
        let id = id.ok_or_else(|| ChainError::Shape("every filter needs its `filter` id".to_owned()))?;
        let enabled = item.get("enabled").map_or(Ok(true), read_enabled)?;
        let params = item.get("params");
        let entry = match (registry::create(id), unknown) {
            (Some(mut filter), _) => {
                if let Some(params) = params {
                    set_params(&mut filter, params)?;
                }
                Entry::Filter(filter)
            }
            (None, UnknownFilter::Kept) => {
                Entry::Unknown { id: id.to_owned(), params: params.cloned().unwrap_or_else(|| json!({})) }
            }
            (None, UnknownFilter::Refused) => {
                return Err(ChainError::UnknownFilter(id.chars().take(40).collect()));
            }
        };
        self.push(enabled, entry)
    }
}

/// Whether the parameter names another source to capture.
fn is_source(filter: &Filter, param: &ParamSpec) -> bool {
    matches!(filter, Filter::PictureInPicture(_)) && param.id == "source"
}

/// A file keeps what it does not know; a remote client is told.
#[derive(Clone, Copy)]
enum UnknownFilter {
    Kept,
    Refused,
}

fn unknown_item(key: &str) -> ChainError {
    ChainError::UnknownItem(key.chars().take(40).collect())
}

fn read_enabled(value: &Value) -> Result<bool, ChainError> {
    value.as_bool().ok_or_else(|| ChainError::Shape("`enabled` has to be true or false".to_owned()))
}

/// Sets the parameters that a JSON object names; null stands for the default.
fn set_params(filter: &mut Filter, params: &Value) -> Result<(), ChainError> {
    let spec = filter.spec();
    let params = params.as_object().ok_or_else(|| ChainError::Shape("`params` has to be an object".to_owned()))?;
    for (id, json) in params {
        let param = spec.param(id).ok_or_else(|| spec.unknown(id))?;
        let value = if json.is_null() { param.kind.default_value() } else { param.value_from_json(json)? };
        filter.params_mut().set(id, &value)?;
    }
    Ok(())
}

fn item_to_json(item: &ChainItem) -> Value {
    let (id, params) = match &item.entry {
        Entry::Filter(filter) => (filter.spec().id, params_to_json(filter)),
        Entry::Unknown { id, params } => (id.as_str(), params.clone()),
    };
    json!({ "filter": id, "enabled": item.enabled, "params": params })
}

fn params_to_json(filter: &Filter) -> Value {
    let params = filter.params();
    let values = filter.spec().params.iter().filter_map(|spec| {
        let value = serde_json::to_value(params.get(spec.id)?).ok()?;
        Some((spec.id.to_owned(), value))
    });
    Value::Object(values.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(filters: Value) -> Result<Chain, ChainError> {
        Chain::from_value(&json!({ "version": 1, "filters": filters }))
    }

    #[test]
    fn a_chain_reads_back_as_it_was_written() -> Result<(), ChainError> {
        let written = json!([
            { "filter": "crop", "enabled": false, "params": { "left": 0.25, "top": 0.0, "right": 0.0, "bottom": 0.5 } },
            { "filter": "from_the_future", "enabled": true, "params": { "depth": [1, 2] } },
        ]);
        let chain = chain(written.clone())?;
        assert_eq!(chain.to_json()["filters"], written);
        Ok(())
    }

    #[test]
    fn a_number_out_of_range_is_clamped() -> Result<(), ChainError> {
        let chain = chain(json!([{ "filter": "crop", "params": { "left": 7 } }]))?;
        assert_eq!(chain.to_json()["filters"][0]["params"]["left"], json!(0.95));
        Ok(())
    }

    #[test]
    fn a_patch_with_an_error_changes_nothing() -> Result<(), ChainError> {
        let mut chain = chain(json!([{ "filter": "crop" }]))?;
        let before = chain.clone();
        for wrong in [
            json!([]),
            json!({ "filters": { "1": { "params": { "left": 0.5, "nonsense": 1 } } } }),
            json!({ "filters": { "1": { "params": { "left": "much" } } } }),
            json!({ "filters": { "1": null, "9": null } }),
            json!({ "filters": { "x": { "filter": "nonsense" } } }),
            json!({ "order": ["7"] }),
            json!({ "path": "/etc/passwd" }),
        ] {
            assert!(chain.merge_patch(&wrong).is_err(), "{wrong}");
            assert_eq!(chain, before);
        }
        Ok(())
    }

    #[test]
    fn a_hidden_region_is_kept_only_if_nothing_about_it_changes() -> Result<(), ChainError> {
        let before = chain(json!([{ "filter": "redact" }, { "filter": "crop" }]))?;
        let kept = |patch: Value| -> Result<bool, ChainError> {
            let mut after = before.clone();
            after.merge_patch(&patch)?;
            Ok(after.keeps_hidden_regions_of(&before))
        };
        assert!(kept(json!({ "filters": { "2": { "params": { "left": 0.5 } }, "new": { "filter": "redact" } } }))?);
        assert!(kept(json!({ "order": ["2", "1"] }))?);
        assert!(!kept(json!({ "filters": { "1": null } }))?);
        assert!(!kept(json!({ "filters": { "1": { "enabled": false } } }))?);
        assert!(!kept(json!({ "filters": { "1": { "params": { "width": 0.01 } } } }))?);
        Ok(())
    }

    #[test]
    fn a_patch_reaches_no_file_source_or_program_that_was_not_reached_before() -> Result<(), ChainError> {
        let before = chain(json!([
            { "filter": "lut3d", "params": { "path": "mine.cube" } },
            { "filter": "picture_in_picture", "enabled": false, "params": { "source": "camera" } },
        ]))?;
        let allowed = |patch: Value| -> Result<bool, ChainError> {
            let mut after = before.clone();
            after.merge_patch(&patch)?;
            Ok(after.reaches_no_further_than(&before))
        };
        assert!(allowed(
            json!({ "filters": { "1": { "params": { "amount": 0.5 } }, "2": { "params": { "size": 0.5 } } } })
        )?);
        assert!(allowed(json!({ "filters": { "1": null, "new": { "filter": "lut3d" } } }))?);
        for refused in [
            json!({ "filters": { "1": { "params": { "path": "/etc/passwd" } } } }),
            json!({ "filters": { "new": { "filter": "image", "params": { "path": "/home/me/private.png" } } } }),
            json!({ "filters": { "2": { "enabled": true } } }),
            json!({ "filters": { "2": { "params": { "source": "screen" } } } }),
            json!({ "filters": { "new": { "filter": "picture_in_picture", "params": { "source": "camera" } } } }),
        ] {
            assert!(!allowed(refused.clone())?, "{refused}");
        }
        Ok(())
    }

    #[test]
    fn a_patch_moves_a_slider_adds_reorders_and_removes() -> Result<(), ChainError> {
        let mut chain = chain(json!([{ "filter": "crop" }]))?;
        chain.merge_patch(
            &json!({ "filters": { "1": { "params": { "left": 0.5 } }, "new": { "filter": "grayscale" } } }),
        )?;
        chain.merge_patch(&json!({ "order": ["2", "1"] }))?;
        let remote = chain.to_remote_json();
        assert_eq!(remote["order"], json!(["2", "1"]));
        assert_eq!(remote["filters"]["1"]["params"]["left"], json!(0.5));
        chain.merge_patch(&json!({ "filters": { "2": null, "1": { "params": { "left": null } } } }))?;
        assert_eq!(chain.to_remote_json()["order"], json!(["1"]));
        assert_eq!(chain.to_remote_json()["filters"]["1"]["params"]["left"], json!(0.0));
        Ok(())
    }
}

//! What a program says of itself in its first line: one filter with its parameters, as JSON. Pure.

use serde::Deserialize;
use serde_json::Value;

use super::message::PROTOCOL_VERSION;
use crate::filter::{Class, Color, FilterSpec, ParamKind, ParamSpec, Unit};

const MOST_PARAMS: usize = 32;
const MOST_OPTIONS: usize = 64;
const LONGEST_ID: usize = 40;
const LONGEST_LABEL: usize = 60;
const LONGEST_DOC: usize = 600;

/// A declaration that was read and found sound.
#[derive(Debug, Clone, Copy)]
pub struct Declaration {
    pub spec: &'static FilterSpec,
    /// The program's picture changes by itself, also over one that stands still.
    pub animated: bool,
}

/// What is wrong with a declaration.
#[derive(Debug, thiserror::Error)]
pub enum DeclarationError {
    #[error("its first line is not JSON ({0})")]
    Json(serde_json::Error),
    #[error("`lenscast` has to be {PROTOCOL_VERSION}, the version of the protocol that this Lenscast speaks")]
    Version,
    #[error("{0}")]
    Shape(serde_json::Error),
    #[error("`{0}` is no id; take small letters, digits and underscores, at most {LONGEST_ID}, a letter first")]
    Id(String),
    #[error("{0} has no label, or it is longer than {LONGEST_LABEL} letters or one line")]
    Label(String),
    #[error("what {0} says of itself in `doc` is longer than {LONGEST_DOC} letters")]
    Doc(String),
    #[error("it has more than {MOST_PARAMS} parameters")]
    TooManyParams,
    #[error("it has two things with the id `{0}`")]
    Twice(String),
    #[error("`{0}` needs a `min` below its `max`, a `step` above 0, and a `default` between them")]
    Range(String),
    #[error("`{0}` is logarithmic, so its `min` has to be above 0")]
    Logarithmic(String),
    #[error("`{0}` needs 1 to {MOST_OPTIONS} options, and one of them as its `default`")]
    Options(String),
    #[error("the default of `{0}` is longer than {most} bytes", most = ParamKind::MOST_TEXT)]
    LongText(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(rename = "lenscast")]
    _version: u16,
    id: String,
    label: String,
    #[serde(default)]
    doc: String,
    #[serde(default)]
    animated: bool,
    #[serde(default)]
    params: Vec<Param>,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Param {
    Number {
        id: String,
        label: String,
        #[serde(default)]
        doc: String,
        #[serde(default)]
        unit: WrittenUnit,
        min: f32,
        max: f32,
        step: f32,
        default: f32,
        #[serde(default)]
        logarithmic: bool,
    },
    Integer {
        id: String,
        label: String,
        #[serde(default)]
        doc: String,
        #[serde(default)]
        unit: WrittenUnit,
        min: i32,
        max: i32,
        #[serde(default = "one")]
        step: i32,
        default: i32,
    },
    Boolean {
        id: String,
        label: String,
        #[serde(default)]
        doc: String,
        default: bool,
    },
    Choice {
        id: String,
        label: String,
        #[serde(default)]
        doc: String,
        options: Vec<WrittenOption>,
        default: String,
    },
    Color {
        id: String,
        label: String,
        #[serde(default)]
        doc: String,
        default: Color,
    },
    Text {
        id: String,
        label: String,
        #[serde(default)]
        doc: String,
        #[serde(default)]
        default: String,
    },
}

fn one() -> i32 {
    1
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenOption {
    id: String,
    label: String,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum WrittenUnit {
    #[default]
    None,
    Degrees,
    Fraction,
    Pixels,
    Seconds,
}

impl From<WrittenUnit> for Unit {
    fn from(unit: WrittenUnit) -> Self {
        match unit {
            WrittenUnit::None => Self::None,
            WrittenUnit::Degrees => Self::Degrees,
            WrittenUnit::Fraction => Self::Fraction,
            WrittenUnit::Pixels => Self::Pixels,
            WrittenUnit::Seconds => Self::Seconds,
        }
    }
}

impl Declaration {
    /// Reads a program's first line. Specifications live as long as this program does, as those of built-in filters do,
    /// so a sound declaration is leaked: some hundred bytes, once for each program that the user has installed.
    ///
    /// # Errors
    /// When the line is not a declaration, with a sentence about what to mend. Nothing is leaked then.
    pub fn read(line: &[u8]) -> Result<Self, DeclarationError> {
        let value: Value = serde_json::from_slice(line).map_err(DeclarationError::Json)?;
        // First, because another version may well look different.
        if value["lenscast"].as_u64() != Some(PROTOCOL_VERSION.into()) {
            return Err(DeclarationError::Version);
        }
        let written = Written::deserialize(value).map_err(DeclarationError::Shape)?;
        written.check()?;
        Ok(Self { animated: written.animated, spec: written.leak() })
    }
}

/// Id, label and doc.
type Named<'a> = (&'a str, &'a str, &'a str);

impl Written {
    fn check(&self) -> Result<(), DeclarationError> {
        check_names((&self.id, &self.label, &self.doc))?;
        if self.params.len() > MOST_PARAMS {
            return Err(DeclarationError::TooManyParams);
        }
        self.params.iter().try_for_each(Param::check)?;
        check_unique(self.params.iter().map(|param| param.names().0))
    }

    fn leak(self) -> &'static FilterSpec {
        let params: Vec<ParamSpec> = self.params.into_iter().map(Param::leak).collect();
        Box::leak(Box::new(FilterSpec {
            id: self.id.leak(),
            label: self.label.leak(),
            class: Class::External,
            doc: self.doc.leak(),
            params: params.leak(),
        }))
    }
}

impl Param {
    fn names(&self) -> Named<'_> {
        let (Self::Number { id, label, doc, .. }
        | Self::Integer { id, label, doc, .. }
        | Self::Boolean { id, label, doc, .. }
        | Self::Choice { id, label, doc, .. }
        | Self::Color { id, label, doc, .. }
        | Self::Text { id, label, doc, .. }) = self;
        (id, label, doc)
    }

    fn check(&self) -> Result<(), DeclarationError> {
        check_names(self.names())?;
        let sound = |sound: bool, error: fn(String) -> DeclarationError| {
            if sound { Ok(()) } else { Err(error(self.names().0.to_owned())) }
        };
        match self {
            Self::Number { min, max, step, default, logarithmic, .. } => {
                let finite = [min, max, step, default].into_iter().all(|number| number.is_finite());
                sound(finite && min < max && *step > 0.0 && (min..=max).contains(&default), DeclarationError::Range)?;
                sound(!logarithmic || *min > 0.0, DeclarationError::Logarithmic)
            }
            Self::Integer { min, max, step, default, .. } => {
                sound(min < max && *step > 0 && (min..=max).contains(&default), DeclarationError::Range)
            }
            Self::Choice { options, default, .. } => {
                let known = options.iter().any(|option| option.id == *default);
                sound(known && options.len() <= MOST_OPTIONS, DeclarationError::Options)?;
                options.iter().try_for_each(|option| check_names((&option.id, &option.label, "")))?;
                check_unique(options.iter().map(|option| option.id.as_str()))
            }
            Self::Text { default, .. } => sound(default.len() <= ParamKind::MOST_TEXT, DeclarationError::LongText),
            Self::Boolean { .. } | Self::Color { .. } => Ok(()),
        }
    }

    fn leak(self) -> ParamSpec {
        let (id, label, doc, unit, kind) = match self {
            Self::Number { id, label, doc, unit, min, max, step, default, logarithmic } => {
                (id, label, doc, unit, ParamKind::Float { default, min, max, step, logarithmic })
            }
            Self::Integer { id, label, doc, unit, min, max, step, default } => {
                (id, label, doc, unit, ParamKind::Int { default, min, max, step })
            }
            Self::Boolean { id, label, doc, default } => {
                (id, label, doc, WrittenUnit::None, ParamKind::Bool { default })
            }
            Self::Choice { id, label, doc, options, default } => {
                let default = options.iter().position(|option| option.id == default).unwrap_or(0);
                let leak = |option: WrittenOption| (&*option.id.leak(), &*option.label.leak());
                let options: Vec<(&'static str, &'static str)> = options.into_iter().map(leak).collect();
                (id, label, doc, WrittenUnit::None, ParamKind::Choice { default, options: options.leak() })
            }
            Self::Color { id, label, doc, default } => {
                (id, label, doc, WrittenUnit::None, ParamKind::Color { default })
            }
            Self::Text { id, label, doc, default } => {
                (id, label, doc, WrittenUnit::None, ParamKind::Text { default: default.leak() })
            }
        };
        ParamSpec { id: id.leak(), label: label.leak(), doc: doc.leak(), unit: unit.into(), kind }
    }
}

fn check_names((id, label, doc): Named<'_>) -> Result<(), DeclarationError> {
    let is_id = id.len() <= LONGEST_ID
        && id.starts_with(|first: char| first.is_ascii_lowercase())
        && id.bytes().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'_');
    if !is_id {
        return Err(DeclarationError::Id(id.chars().take(LONGEST_ID).collect()));
    }
    let length = label.chars().count();
    if length == 0 || length > LONGEST_LABEL || label.chars().any(char::is_control) {
        return Err(DeclarationError::Label(format!("`{id}`")));
    }
    if doc.chars().count() > LONGEST_DOC { Err(DeclarationError::Doc(format!("`{id}`"))) } else { Ok(()) }
}

fn check_unique<'a>(ids: impl Iterator<Item = &'a str>) -> Result<(), DeclarationError> {
    let mut seen = Vec::new();
    for id in ids {
        if seen.contains(&id) {
            return Err(DeclarationError::Twice(id.to_owned()));
        }
        seen.push(id);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: &Value) -> Result<Declaration, DeclarationError> {
        Declaration::read(value.to_string().as_bytes())
    }

    fn with(param: Value) -> Value {
        json!({ "lenscast": 1, "id": "glow", "label": "Glow", "params": [param] })
    }

    #[test]
    fn every_kind_of_parameter_is_read() {
        let declaration = read(&json!({ "lenscast": 1, "id": "glow", "label": "Glow", "doc": "It glows.", "params": [
            { "kind": "number", "id": "a", "label": "A", "min": 0.5, "max": 2, "step": 0.1, "default": 1,
              "logarithmic": true, "unit": "seconds", "doc": "How long." },
            { "kind": "integer", "id": "b", "label": "B", "min": -3, "max": 3, "default": 0 },
            { "kind": "boolean", "id": "c", "label": "C", "default": true },
            { "kind": "choice", "id": "d", "label": "D", "default": "y",
              "options": [{ "id": "x", "label": "X" }, { "id": "y", "label": "Y" }] },
            { "kind": "color", "id": "e", "label": "E", "default": "#102030" },
            { "kind": "text", "id": "f", "label": "F" } ] }));
        let spec = declaration.unwrap().spec;
        assert_eq!((spec.id, spec.class, spec.doc), ("glow", Class::External, "It glows."));
        let kinds: Vec<_> = spec.params.iter().map(|param| param.kind).collect();
        assert_eq!(
            kinds,
            [
                ParamKind::Float { default: 1.0, min: 0.5, max: 2.0, step: 0.1, logarithmic: true },
                ParamKind::Int { default: 0, min: -3, max: 3, step: 1 },
                ParamKind::Bool { default: true },
                ParamKind::Choice { default: 1, options: &[("x", "X"), ("y", "Y")] },
                ParamKind::Color { default: Color::rgb(16, 32, 48) },
                ParamKind::Text { default: "" },
            ]
        );
        assert_eq!((spec.params[0].unit, spec.params[1].unit), (Unit::Seconds, Unit::None));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let number = |min: f64, max: f64, default: f64| {
            with(json!({ "kind": "number", "id": "n", "label": "N", "min": min, "max": max, "step": 1,
                         "default": default }))
        };
        let many: Vec<Value> =
            (0..33).map(|at| json!({ "kind": "text", "id": format!("t{at}"), "label": "T" })).collect();
        let twice = json!({ "kind": "text", "id": "t", "label": "T" });
        for (value, expected) in [
            (json!("hello"), "`lenscast` has to be 1"),
            (json!({ "lenscast": 2 }), "`lenscast` has to be 1"),
            (json!({ "lenscast": 1, "id": "x" }), "missing field `label`"),
            (json!({ "lenscast": 1, "id": "X-ray", "label": "X" }), "`X-ray` is no id"),
            (json!({ "lenscast": 1, "id": "x", "label": "" }), "`x` has no label"),
            (json!({ "lenscast": 1, "id": "x", "label": "two\nlines" }), "`x` has no label"),
            (json!({ "lenscast": 1, "id": "x", "label": "X", "doc": "y".repeat(601) }), "`doc` is longer"),
            (json!({ "lenscast": 1, "id": "x", "label": "X", "slider": 1 }), "unknown field `slider`"),
            (json!({ "lenscast": 1, "id": "x", "label": "X", "params": many }), "more than 32 parameters"),
            (json!({ "lenscast": 1, "id": "x", "label": "X", "params": [twice, twice] }), "two things"),
            (with(json!({ "kind": "dial", "id": "n", "label": "N" })), "unknown variant `dial`"),
            (with(json!({ "kind": "boolean", "id": "n", "label": "N", "default": true, "min": 1 })), "`min`"),
            (number(2.0, 1.0, 1.0), "`n` needs a `min` below"),
            (number(0.0, 1.0, 3.0), "`n` needs a `min` below"),
            (number(0.0, 1e300, 0.0), "`n` needs a `min` below"),
            (with(json!({ "kind": "choice", "id": "n", "label": "N", "options": [], "default": "x" })), "1 to 64"),
            (with(json!({ "kind": "color", "id": "n", "label": "N", "default": "red" })), "is not a colour"),
        ] {
            let message = read(&value).unwrap_err().to_string();
            assert!(message.contains(expected), "{value}: {message}");
        }
        assert!(Declaration::read(b"Hello, world").unwrap_err().to_string().contains("is not JSON"));
        assert!(Declaration::read(&[0xff; 9]).is_err());
    }
}

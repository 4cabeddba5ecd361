//! Values of parameters: how they are clamped, read from JSON and from the command line, and written back.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use super::curve::Curve;
use super::spec::{ParamKind, ParamSpec};

/// A colour as `#rrggbb` or `#rrggbbaa`, sRGB, straight alpha.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Color {
    pub r: u8,
    pub g: u8,
    pub b: u8,
    pub a: u8,
}

impl Color {
    pub const BLACK: Self = Self::rgb(0, 0, 0);
    pub const GRAY: Self = Self::rgb(128, 128, 128);
    pub const WHITE: Self = Self::rgb(255, 255, 255);
    pub const GREEN: Self = Self::rgb(0, 255, 0);
    pub const AMBER: Self = Self::rgb(255, 190, 0);

    pub const fn rgb(r: u8, g: u8, b: u8) -> Self {
        Self { r, g, b, a: 255 }
    }

    pub const fn to_rgba(self) -> [u8; 4] {
        [self.r, self.g, self.b, self.a]
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.r, self.g, self.b)?;
        if self.a < 255 { write!(f, "{:02x}", self.a) } else { Ok(()) }
    }
}

impl FromStr for Color {
    type Err = ParamError;

    fn from_str(text: &str) -> Result<Self, ParamError> {
        let wrong = || ParamError::Color(text.chars().take(40).collect());
        let digits = text.trim().trim_start_matches('#');
        if !digits.is_ascii() || !matches!(digits.len(), 6 | 8) {
            return Err(wrong());
        }
        let channel = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).map_err(|_| wrong());
        let a = if digits.len() == 8 { channel(6)? } else { 255 };
        Ok(Self { r: channel(0)?, g: channel(2)?, b: channel(4)?, a })
    }
}

impl TryFrom<String> for Color {
    type Error = ParamError;
    fn try_from(text: String) -> Result<Self, ParamError> {
        text.parse()
    }
}

impl From<Color> for String {
    fn from(color: Color) -> Self {
        color.to_string()
    }
}

/// A parameter's value whatever its type. Choices travel as the text of their id.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ParamValue {
    Bool(bool),
    Int(i32),
    #[serde(serialize_with = "shortest_decimal")]
    Float(f32),
    Color(Color),
    Text(String),
}

/// Writes 0.95 as `0.95` and not as the nearest double of the nearest float.
fn shortest_decimal<S: serde::Serializer>(number: &f32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(number.to_string().parse().unwrap_or(f64::from(*number)))
}

/// Why a parameter could not be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParamError {
    #[error("`{filter}` has no parameter `{param}`; it has {known}")]
    Unknown { filter: &'static str, param: String, known: String },
    #[error("`{param}` takes {expected}, not `{given}`")]
    WrongType { param: &'static str, expected: String, given: String },
    #[error("`{0}` is not a colour; write it as #rrggbb or #rrggbbaa")]
    Color(String),
}

impl ParamSpec {
    fn wrong_type(&self, given: impl fmt::Display) -> ParamError {
        let expected = match self.kind {
            ParamKind::Float { min, max, .. } => format!("a number from {min} to {max}"),
            ParamKind::Int { min, max, .. } => format!("a whole number from {min} to {max}"),
            ParamKind::Bool { .. } => "true or false".to_owned(),
            ParamKind::Choice { options, .. } => {
                let ids: Vec<_> = options.iter().map(|(id, _)| *id).collect();
                format!("one of {}", ids.join(", "))
            }
            ParamKind::Color { .. } => "a colour as #rrggbb".to_owned(),
            ParamKind::Text { .. } => "text".to_owned(),
            ParamKind::File { .. } => "the path of a file".to_owned(),
            ParamKind::Curve { .. } => "points from left to right, like `0,0 0.5,0.6 1,1`".to_owned(),
        };
        ParamError::WrongType { param: self.id, expected, given: given.to_string().chars().take(40).collect() }
    }

    /// The error for a value of another type.
    pub fn wrong_type_of(&self, value: &ParamValue) -> ParamError {
        match serde_json::to_string(value) {
            Ok(text) => self.wrong_type(text),
            Err(_) => self.wrong_type("a number that JSON can't hold"),
        }
    }

    /// The value as the parameter keeps it: a number is clamped, NaN becomes the default, text is cut.
    ///
    /// # Errors
    /// When the value is of another type.
    pub fn accept(&self, value: &ParamValue) -> Result<ParamValue, ParamError> {
        fn kept<T: ParamType>(value: &ParamValue, kind: &ParamKind) -> Option<ParamValue> {
            Some(T::from_value(value, kind)?.to_value())
        }
        let kind = &self.kind;
        let accepted = match kind {
            ParamKind::Float { .. } => kept::<f32>(value, kind),
            ParamKind::Int { .. } => kept::<i32>(value, kind),
            ParamKind::Bool { .. } => kept::<bool>(value, kind),
            ParamKind::Color { .. } => kept::<Color>(value, kind),
            ParamKind::Text { .. } => kept::<String>(value, kind),
            ParamKind::File { .. } => kept::<FilePath>(value, kind),
            ParamKind::Curve { .. } => kept::<Curve>(value, kind),
            ParamKind::Choice { options, .. } => {
                let known = |id: &str| options.iter().any(|(option, _)| *option == id);
                if let ParamValue::Text(id) = value { known(id).then(|| value.clone()) } else { None }
            }
        };
        accepted.ok_or_else(|| self.wrong_type_of(value))
    }

    /// The value that a JSON document gives for this parameter.
    ///
    /// # Errors
    /// When the JSON is of another type.
    pub fn value_from_json(&self, json: &serde_json::Value) -> Result<ParamValue, ParamError> {
        let value = match self.kind {
            ParamKind::Float { .. } => json.as_f64().map(|number| ParamValue::Float(number as f32)),
            // `as` saturates, and the range is applied when the value is set.
            ParamKind::Int { .. } => json.as_f64().map(|number| ParamValue::Int(number.round() as i32)),
            ParamKind::Bool { .. } => json.as_bool().map(ParamValue::Bool),
            ParamKind::Color { .. } => match json.as_str() {
                Some(text) => Some(ParamValue::Color(text.parse()?)),
                None => None,
            },
            ParamKind::Choice { options, .. } => {
                let known = json.as_str().filter(|id| options.iter().any(|(option, _)| option == id));
                known.map(|id| ParamValue::Text(id.to_owned()))
            }
            ParamKind::Text { .. } | ParamKind::File { .. } => {
                json.as_str().map(|text| ParamValue::Text(text.to_owned()))
            }
            ParamKind::Curve { .. } => {
                let curve = json.as_str().and_then(|text| text.parse::<Curve>().ok());
                curve.map(|curve| curve.to_value())
            }
        };
        value.ok_or_else(|| self.wrong_type(json))
    }

    /// The value that a word on the command line gives for this parameter.
    ///
    /// # Errors
    /// When the word does not read as the parameter's type.
    pub fn value_from_text(&self, text: &str) -> Result<ParamValue, ParamError> {
        let json = match self.kind {
            ParamKind::Float { .. } | ParamKind::Int { .. } => {
                let number = text.trim().parse::<f64>().ok().and_then(serde_json::Number::from_f64);
                serde_json::Value::Number(number.ok_or_else(|| self.wrong_type(text))?)
            }
            ParamKind::Bool { .. } => match text.trim() {
                "true" | "yes" | "on" | "1" => true.into(),
                "false" | "no" | "off" | "0" => false.into(),
                other => return Err(self.wrong_type(other)),
            },
            ParamKind::Color { .. }
            | ParamKind::Choice { .. }
            | ParamKind::Text { .. }
            | ParamKind::File { .. }
            | ParamKind::Curve { .. } => text.into(),
        };
        self.value_from_json(&json)
    }
}

/// A Rust type that a parameter can have.
pub trait ParamType: Sized {
    fn to_value(&self) -> ParamValue;

    /// `None` when `value` is of another type; otherwise clamped into the range of `kind`.
    fn from_value(value: &ParamValue, kind: &ParamKind) -> Option<Self>;
}

/// An enum that a parameter can have; made by `choices!`.
pub trait Choice: Copy + PartialEq + 'static {
    const ALL: &'static [Self];
    /// Id and label of each, in the order of `ALL`.
    const OPTIONS: &'static [(&'static str, &'static str)];
}

impl ParamType for f32 {
    fn to_value(&self) -> ParamValue {
        ParamValue::Float(*self)
    }

    fn from_value(value: &ParamValue, kind: &ParamKind) -> Option<Self> {
        let ParamKind::Float { default, min, max, .. } = *kind else { return None };
        let number = match *value {
            ParamValue::Float(number) => number,
            ParamValue::Int(number) => number as f32,
            _ => return None,
        };
        Some(if number.is_nan() { default } else { number.clamp(min, max) })
    }
}

impl ParamType for i32 {
    fn to_value(&self) -> ParamValue {
        ParamValue::Int(*self)
    }

    fn from_value(value: &ParamValue, kind: &ParamKind) -> Option<Self> {
        let ParamKind::Int { default, min, max, .. } = *kind else { return None };
        match *value {
            ParamValue::Int(number) => Some(number.clamp(min, max)),
            ParamValue::Float(number) if number.is_nan() => Some(default),
            ParamValue::Float(number) => Some((number.round() as i32).clamp(min, max)),
            _ => None,
        }
    }
}

impl ParamType for bool {
    fn to_value(&self) -> ParamValue {
        ParamValue::Bool(*self)
    }

    fn from_value(value: &ParamValue, _kind: &ParamKind) -> Option<Self> {
        if let ParamValue::Bool(on) = *value { Some(on) } else { None }
    }
}

impl ParamType for Color {
    fn to_value(&self) -> ParamValue {
        ParamValue::Color(*self)
    }

    fn from_value(value: &ParamValue, _kind: &ParamKind) -> Option<Self> {
        if let ParamValue::Color(color) = *value { Some(color) } else { None }
    }
}

impl ParamType for String {
    fn to_value(&self) -> ParamValue {
        ParamValue::Text(self.clone())
    }

    fn from_value(value: &ParamValue, _kind: &ParamKind) -> Option<Self> {
        let ParamValue::Text(text) = value else { return None };
        Some(cut(text))
    }
}

/// At most [`ParamKind::MOST_TEXT`] bytes of a text.
fn cut(text: &str) -> String {
    let mut end = text.len().min(ParamKind::MOST_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

/// The path of a file that a filter reads; empty until one is chosen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FilePath(pub String);

impl ParamType for FilePath {
    fn to_value(&self) -> ParamValue {
        ParamValue::Text(self.0.clone())
    }

    fn from_value(value: &ParamValue, _kind: &ParamKind) -> Option<Self> {
        if let ParamValue::Text(path) = value { Some(Self(cut(path))) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_clamp_and_nan_becomes_the_default() {
        let kind = ParamKind::Float { default: 1.0, min: 0.0, max: 4.0, step: 0.1, logarithmic: false };
        assert_eq!(f32::from_value(&ParamValue::Float(9.0), &kind), Some(4.0));
        assert_eq!(f32::from_value(&ParamValue::Float(f32::NAN), &kind), Some(1.0));
        assert_eq!(f32::from_value(&ParamValue::Float(f32::NEG_INFINITY), &kind), Some(0.0));
        assert_eq!(f32::from_value(&ParamValue::Bool(true), &kind), None);
    }

    #[test]
    fn colours_read_as_they_are_written() {
        for text in ["#01fe7c", "#01fe7c80"] {
            assert_eq!(text.parse::<Color>().map(|color| color.to_string()).as_deref(), Ok(text));
        }
        for text in ["", "#12345", "#gggggg", "#äöü"] {
            assert!(text.parse::<Color>().is_err(), "{text}");
        }
    }
}

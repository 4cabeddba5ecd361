//! What a filter says about itself and its parameters; everything that shows or stores a filter reads this.

use super::value::{Color, ParamError, ParamValue};

/// How the chain runs a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// A pixel depends on that pixel alone.
    Point,
    /// A pixel depends on itself and where it is.
    Place,
    /// Moves pixels, by one mapping that the pointer uses too.
    Geometric,
    /// A pixel depends on its neighbourhood.
    Area,
    /// A pixel depends on earlier frames.
    Time,
    /// Makes pixels transparent, or shows something else behind them.
    Key,
    /// Draws on top.
    Overlay,
    /// Not built in: made by somebody else.
    External,
}

impl Class {
    /// In the order in which they are listed.
    pub const ALL: [Self; 8] =
        [Self::Point, Self::Place, Self::Geometric, Self::Area, Self::Time, Self::Key, Self::Overlay, Self::External];

    /// The heading under which the window and the documentation list the class.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Point => "Colour",
            Self::Place => "Place",
            Self::Geometric => "Geometry",
            Self::Area => "Neighbourhood",
            Self::Time => "Time",
            Self::Key => "Key",
            Self::Overlay => "Overlay",
            Self::External => "Added",
        }
    }
}

/// What a number counts; shown behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    None,
    Degrees,
    DegreesPerSecond,
    /// 0..1 of a side of the picture, shown as per cent.
    Fraction,
    Pixels,
    Seconds,
    Kelvin,
    /// Exposure values: each doubles or halves the light.
    Stops,
    PerSecond,
}

impl Unit {
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Degrees => "°",
            Self::DegreesPerSecond => "°/s",
            Self::Fraction => "%",
            Self::Pixels => " px",
            Self::Seconds => " s",
            Self::Kelvin => " K",
            Self::Stops => " EV",
            Self::PerSecond => "/s",
        }
    }
}

/// The type, range and default of a parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ParamKind {
    Float {
        default: f32,
        min: f32,
        max: f32,
        step: f32,
        logarithmic: bool,
    },
    Int {
        default: i32,
        min: i32,
        max: i32,
        step: i32,
    },
    Bool {
        default: bool,
    },
    /// One of `options`: id and label of each; `default` is an index.
    Choice {
        default: usize,
        options: &'static [(&'static str, &'static str)],
    },
    Color {
        default: Color,
    },
    /// A line or several of text, at most [`ParamKind::MOST_TEXT`] bytes.
    Text {
        default: &'static str,
    },
    /// The path of a file; empty until one is chosen. `extensions` are separated by spaces.
    File {
        extensions: &'static str,
    },
    /// A curve through points, written as [`Curve`](super::Curve) says.
    Curve {
        default: &'static str,
    },
}

impl ParamKind {
    /// The longest text parameter in bytes.
    pub const MOST_TEXT: usize = 512;

    pub fn default_value(&self) -> ParamValue {
        match *self {
            Self::Float { default, .. } => ParamValue::Float(default),
            Self::Int { default, .. } => ParamValue::Int(default),
            Self::Bool { default } => ParamValue::Bool(default),
            Self::Choice { default, options } => ParamValue::Text(options[default].0.to_owned()),
            Self::Color { default } => ParamValue::Color(default),
            Self::Text { default } | Self::Curve { default } => ParamValue::Text(default.to_owned()),
            Self::File { .. } => ParamValue::Text(String::new()),
        }
    }
}

/// One parameter. `id` is permanent, `label` may change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ParamSpec {
    pub id: &'static str,
    pub label: &'static str,
    pub doc: &'static str,
    pub unit: Unit,
    pub kind: ParamKind,
}

/// One filter. `id` is permanent, `label` may change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FilterSpec {
    pub id: &'static str,
    pub label: &'static str,
    pub class: Class,
    pub doc: &'static str,
    pub params: &'static [ParamSpec],
}

impl FilterSpec {
    pub fn param(&self, id: &str) -> Option<&'static ParamSpec> {
        self.params.iter().find(|param| param.id == id)
    }
}

/// Parameters by id; made by `params!` for every filter.
pub trait Params {
    fn spec(&self) -> &'static FilterSpec;

    fn get(&self, id: &str) -> Option<ParamValue>;

    /// Sets one parameter; a number out of range is clamped, NaN becomes the default, text is cut.
    ///
    /// # Errors
    /// When there is no such parameter, or the value is of another type.
    fn set(&mut self, id: &str, value: &ParamValue) -> Result<(), ParamError>;
}

impl FilterSpec {
    /// The error for a parameter that the filter does not have.
    pub fn unknown(&self, param: &str) -> ParamError {
        let known: Vec<_> = self.params.iter().map(|param| param.id).collect();
        ParamError::Unknown {
            filter: self.id,
            param: param.chars().take(40).collect(),
            known: if known.is_empty() { "none".to_owned() } else { known.join(", ") },
        }
    }
}

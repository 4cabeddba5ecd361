//! The two macros that declare a filter once: `params!` for its parameters, `choices!` for an enumeration among them.

/// Declares a filter: the struct, its defaults, its specification, and access by id.
///
/// ```text
/// params! {
///     /// What it does, in one sentence for the documentation.
///     pub struct Crop("crop", "Crop", Geometric) {
///         /// What the parameter does.
///         left: f32 = 0.0 in 0.0..=0.95 step 0.01, "Left", Fraction;
///         gamma: f32 = 1.0 in 0.1..=5.0 step 0.01 log, "Gamma", None;
///         size: i32 = 1 in 1..=128 step 1, "Size", Pixels;
///         expand: bool = true, "Expand";
///         method: Method = Luma709, "Method";       // from choices!
///         fill: Color = BLACK, "Fill";
///         text: String = "", "Text";
///         path: FilePath = "cube png", "LUT file";  // the extensions; a path starts empty
///         red: Curve = "0,0 1,1", "Red";
///     }
/// }
/// ```
#[macro_export]
macro_rules! params {
    (
        $(#[doc = $doc:literal])+
        pub struct $name:ident($id:literal, $label:literal, $class:ident) {
            $(
                $(#[doc = $param_doc:literal])+
                $param:ident: $type:ident = $default:tt $(in $min:literal ..= $max:literal step $step:literal $($log:ident)?)?,
                $param_label:literal $(, $unit:ident)?;
            )*
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $($(#[doc = $param_doc])+ pub $param: $type,)*
        }

        impl $name {
            pub const SPEC: $crate::filter::FilterSpec = $crate::filter::FilterSpec {
                id: $id,
                label: $label,
                class: $crate::filter::Class::$class,
                doc: concat!($($doc, "\n"),+),
                params: &[$($crate::filter::ParamSpec {
                    id: stringify!($param),
                    label: $param_label,
                    doc: concat!($($param_doc, "\n"),+),
                    unit: $crate::params!(@unit $($unit)?),
                    kind: $crate::params!(
                        @kind $type, $default $(, $min, $max, $step $(, $log)?)?),
                }),*],
            };
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($param: $crate::params!(@default $type, $default),)* }
            }
        }

        impl $crate::filter::Params for $name {
            fn spec(&self) -> &'static $crate::filter::FilterSpec {
                &Self::SPEC
            }

            fn get(&self, id: &str) -> Option<$crate::filter::ParamValue> {
                match id {
                    $(stringify!($param) => Some($crate::filter::ParamType::to_value(&self.$param)),)*
                    _ => None,
                }
            }

            fn set(
                &mut self,
                id: &str,
                value: &$crate::filter::ParamValue,
            ) -> Result<(), $crate::filter::ParamError> {
                let spec = Self::SPEC.param(id).ok_or_else(|| Self::SPEC.unknown(id))?;
                match id {
                    $(stringify!($param) => {
                        self.$param = $crate::filter::ParamType::from_value(value, &spec.kind)
                            .ok_or_else(|| spec.wrong_type_of(value))?;
                    })*
                    _ => {}
                }
                Ok(())
            }
        }
    };

    (@unit) => { $crate::filter::Unit::None };
    (@unit $unit:ident) => { $crate::filter::Unit::$unit };

    (@kind f32, $default:tt, $min:literal, $max:literal, $step:literal) => {
        $crate::filter::ParamKind::Float { default: $default, min: $min, max: $max, step: $step, logarithmic: false }
    };
    (@kind f32, $default:tt, $min:literal, $max:literal, $step:literal, log) => {
        $crate::filter::ParamKind::Float { default: $default, min: $min, max: $max, step: $step, logarithmic: true }
    };
    (@kind i32, $default:tt, $min:literal, $max:literal, $step:literal) => {
        $crate::filter::ParamKind::Int { default: $default, min: $min, max: $max, step: $step }
    };
    (@kind bool, $default:tt) => { $crate::filter::ParamKind::Bool { default: $default } };
    (@kind Color, $default:tt) => { $crate::filter::ParamKind::Color { default: $crate::filter::Color::$default } };
    (@kind FilePath, $extensions:tt) => { $crate::filter::ParamKind::File { extensions: $extensions } };
    (@kind Curve, $default:tt) => { $crate::filter::ParamKind::Curve { default: $default } };
    (@kind String, $default:tt) => { $crate::filter::ParamKind::Text { default: $default } };
    (@kind $choice:ident, $default:tt) => {
        $crate::filter::ParamKind::Choice {
            default: $choice::$default as usize,
            options: <$choice as $crate::filter::Choice>::OPTIONS,
        }
    };

    (@default String, $default:tt) => { String::from($default) };
    (@default FilePath, $extensions:tt) => { $crate::filter::FilePath::default() };
    (@default Curve, $default:tt) => { $crate::filter::Curve::declared($default) };
    (@default f32, $default:tt) => { $default };
    (@default i32, $default:tt) => { $default };
    (@default bool, $default:tt) => { $default };
    (@default Color, $default:tt) => { $crate::filter::Color::$default };
    (@default $choice:ident, $default:tt) => { $choice::$default };
}

/// Declares an enumeration that a parameter can have: `Variant = "id", "Label";`.
#[macro_export]
macro_rules! choices {
    ($(#[doc = $doc:literal])+ pub enum $name:ident { $($variant:ident = $id:literal, $label:literal;)+ }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($variant,)+ }

        impl $crate::filter::Choice for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),+];
            const OPTIONS: &'static [(&'static str, &'static str)] = &[$(($id, $label)),+];
        }

        impl $crate::filter::ParamType for $name {
            fn to_value(&self) -> $crate::filter::ParamValue {
                let (id, _) = <Self as $crate::filter::Choice>::OPTIONS[*self as usize];
                $crate::filter::ParamValue::Text(id.to_owned())
            }

            fn from_value(value: &$crate::filter::ParamValue, _: &$crate::filter::ParamKind) -> Option<Self> {
                let $crate::filter::ParamValue::Text(text) = value else { return None };
                match text.as_str() {
                    $($id => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

pub(crate) use {choices, params};

//! `--filter edges:low=80,high=160`: a filter with its parameters as one word.

use crate::filter::{self, Filter, ParamError};

/// Why a `--filter` could not be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterArgError {
    #[error("there is no filter `{0}`; `lenscast list` shows all of them")]
    Unknown(String),
    #[error("`{0}` is not of the form name=value")]
    Form(String),
    #[error(transparent)]
    Param(#[from] ParamError),
}

/// Reads `id` or `id:name=value,name=value`. A comma or backslash inside a value is written `\,` or `\\`.
///
/// # Errors
/// When there is no such filter or parameter, or a value is of another type. Numbers out of range are clamped.
pub fn parse_filter(text: &str) -> Result<Filter, FilterArgError> {
    let (id, params) = text.split_once(':').unwrap_or((text, ""));
    let mut filter = filter::create(id.trim()).ok_or_else(|| FilterArgError::Unknown(id.to_owned()))?;
    let spec = filter.spec();
    for pair in split_at_commas(params) {
        let (name, value) = pair.split_once('=').ok_or_else(|| FilterArgError::Form(pair.clone()))?;
        let value = match spec.param(name.trim()) {
            Some(param) => param.value_from_text(value)?,
            // Setting it says which parameters there are.
            None => filter::ParamValue::Bool(true),
        };
        filter.params_mut().set(name.trim(), &value)?;
    }
    Ok(filter)
}

fn split_at_commas(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (letter, parts.last_mut()) {
            (',', _) => parts.push(String::new()),
            ('\\', Some(part)) => part.extend(letters.next()),
            (_, Some(part)) => part.push(letter),
            (_, None) => {}
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::ParamValue;

    #[test]
    fn parameters_are_read_and_clamped() {
        let filter = parse_filter("crop:left=0.25,top=7").unwrap();
        assert_eq!(filter.params().get("left"), Some(ParamValue::Float(0.25)));
        assert_eq!(filter.params().get("top"), Some(ParamValue::Float(0.95)));
        assert_eq!(parse_filter("crop").unwrap().params().get("left"), Some(ParamValue::Float(0.0)));
    }

    #[test]
    fn commas_can_be_escaped() {
        assert_eq!(split_at_commas(r"text=a\, b\\c,size=3"), [r"text=a, b\c", "size=3"]);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, expected) in [
            ("nonsense", "there is no filter `nonsense`"),
            ("crop:left", "`left` is not of the form name=value"),
            ("crop:left=much", "`left` takes a number from 0 to 0.95, not `much`"),
            ("crop:depth=1", "`crop` has no parameter `depth`; it has left, top, right, bottom"),
        ] {
            let message = parse_filter(text).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{message}");
        }
    }
}

//! `lenscast list`: sources, and filters with their parameters.

use std::io::{self, Write};

use serde_json::json;

use crate::capture::{self, SourceList};
use crate::engine::describe_filters;
use crate::filter::{self, ParamKind, ParamSpec};

/// Writes the list, as text or as JSON.
///
/// # Errors
/// When the output is closed.
pub fn print_list(as_json: bool, output: &mut impl Write) -> io::Result<()> {
    let sources = capture::list();
    if as_json {
        let sources_json = serde_json::to_value(&sources).map_err(io::Error::other)?;
        let list = json!({
            "sources": sources_json["sources"],
            "notes": sources_json["notes"],
            "filters": describe_filters(),
        });
        return writeln!(output, "{}", serde_json::to_string_pretty(&list).map_err(io::Error::other)?);
    }
    print_sources(&sources, output)?;
    print_filters(output)
}

fn print_sources(sources: &SourceList, output: &mut impl Write) -> io::Result<()> {
    writeln!(output, "Sources (--source)")?;
    for source in &sources.sources {
        let size = source.size.map(|size| format!(", {size}")).unwrap_or_default();
        writeln!(output, "  {:<18} {}{size}", source.id.to_string(), source.name)?;
    }
    writeln!(output, "  {:<18} A picture: PNG, JPEG, WebP, BMP or GIF", "image:PATH")?;
    for note in &sources.notes {
        writeln!(output, "  {note}")?;
    }
    Ok(())
}

fn print_filters(output: &mut impl Write) -> io::Result<()> {
    writeln!(output, "\nFilters (--filter ID:NAME=VALUE,NAME=VALUE)")?;
    for spec in filter::all() {
        let doc = spec.doc.split_whitespace().collect::<Vec<_>>().join(" ");
        writeln!(output, "  {:<20} {}", spec.id, doc)?;
        for param in spec.params {
            writeln!(output, "      {:<16} {}", param.id, describe(param))?;
        }
    }
    Ok(())
}

fn describe(param: &ParamSpec) -> String {
    let unit = param.unit.suffix();
    match param.kind {
        ParamKind::Float { default, min, max, .. } if unit == "%" => {
            format!("{min}..{max}, a fraction ({default})")
        }
        ParamKind::Float { default, min, max, .. } => format!("{min}..{max}{unit} ({default})"),
        ParamKind::Int { default, min, max, .. } => format!("{min}..{max}{unit} ({default})"),
        ParamKind::Bool { default } => format!("true or false ({default})"),
        ParamKind::Choice { default, options } => {
            let ids: Vec<_> = options.iter().map(|(id, _)| *id).collect();
            format!("{} ({})", ids.join(", "), options[default].0)
        }
        ParamKind::Color { default } => format!("colour ({default})"),
        ParamKind::Text { default } => format!("text ({default:?})"),
        ParamKind::File { extensions } => format!("path of a file: {}", extensions.replace(' ', ", ")),
        ParamKind::Curve { default } => format!("points of a curve ({default:?})"),
    }
}

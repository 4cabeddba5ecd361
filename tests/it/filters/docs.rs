//! `docs/filters.md` is written from the declarations. `UPDATE_DOCS=1 cargo test --test it filters::docs` writes it anew.

use std::fmt::Write as _;
use std::path::Path;

use lenscast::filter::{ParamKind, ParamSpec, Unit, built_in as all};

use super::pictures;

#[test]
fn the_documentation_of_the_filters_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/filters.md");
    let fresh = document();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &fresh).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(written == fresh, "docs/filters.md is stale; run UPDATE_DOCS=1 cargo test --test it filters::docs");
}

fn document() -> String {
    let mut text = String::from(
        "# Filters\n\n\
         This page is written from the declarations in `src/filter/`; a test keeps it fresh.\n\n\
         Filters run in the order of the list; only *Hide a region* always runs first. A value out of range is clamped. \
         Fractions are 0 to 1 in files and commands and per cent in the window. Each is shown at the end of the same second \
         of the same scene, before and after.\n\n\
         The filter `model`, which runs ONNX models, and programs that are filters are in [extending.md](extending.md).\n",
    );
    let mut heading = "";
    let mut specs: Vec<_> = all().iter().collect();
    // Filters of a class stand together; within it the order of the catalogue stays.
    let classes: Vec<_> = all().iter().map(|spec| spec.class).collect();
    specs.sort_by_key(|spec| classes.iter().position(|class| *class == spec.class));
    for spec in specs {
        if spec.class.label() != heading {
            heading = spec.class.label();
            let _ = write!(text, "\n## {heading}\n");
        }
        let _ = write!(text, "\n### {} (`{}`)\n\n{}\n", spec.label, spec.id, sentence(spec.doc));
        if let Some(params) = pictures::shown_with(spec.id) {
            let (before, after) = (pictures::file(pictures::BEFORE), pictures::file(spec.id));
            let _ = write!(text, "\n![Before]({before}) ![{} after]({after})\n", spec.label);
            let params = params.as_object().filter(|params| !params.is_empty());
            if let Some(params) = params {
                let params: Vec<_> = params.iter().map(|(id, value)| format!("`{id}` {value}")).collect();
                let _ = write!(text, "\nHere with {}.\n", params.join(", "));
            }
        }
        text.push_str("\n| Parameter | Label | Values | Default | |\n|---|---|---|---|---|\n");
        for param in spec.params {
            let (values, default) = values(param);
            let _ = writeln!(
                text,
                "| `{}` | {} | {values} | {default} | {} |",
                param.id,
                param.label,
                sentence(param.doc).replace('|', "\\|")
            );
        }
    }
    text
}

/// The lines of a doc comment as one.
fn sentence(doc: &str) -> String {
    doc.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn values(param: &ParamSpec) -> (String, String) {
    let unit = match param.unit {
        Unit::Fraction => "",
        unit => unit.suffix(),
    };
    match param.kind {
        ParamKind::Float { default, min, max, logarithmic, .. } => {
            let scale = if logarithmic { ", logarithmic" } else { "" };
            (format!("{min} to {max}{unit}{scale}"), format!("{default}"))
        }
        ParamKind::Int { default, min, max, step } => {
            let steps = if step == 1 { String::new() } else { format!(" in steps of {step}") };
            (format!("{min} to {max}{unit}{steps}"), format!("{default}"))
        }
        ParamKind::Bool { default } => ("true, false".to_owned(), format!("{default}")),
        ParamKind::Choice { default, options } => {
            let ids: Vec<_> = options.iter().map(|(id, _)| format!("`{id}`")).collect();
            (ids.join(", "), format!("`{}`", options[default].0))
        }
        ParamKind::Color { default } => ("`#rrggbb`, `#rrggbbaa`".to_owned(), format!("`{default}`")),
        ParamKind::File { extensions } => (format!("path: {}", extensions.replace(' ', ", ")), "empty".to_owned()),
        ParamKind::Curve { default } => ("points of a curve".to_owned(), format!("`{default}`")),
        ParamKind::Text { default: "" } => ("text".to_owned(), "empty".to_owned()),
        ParamKind::Text { default } => ("text".to_owned(), format!("`{default}`")),
    }
}

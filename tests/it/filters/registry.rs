//! Rules that every declared filter keeps.

use std::collections::BTreeSet;

use lenscast::filter::{Chain, Curve, MOST_FILTERS, ParamKind, ParamValue, all, create, find};

use super::randomise;
use crate::support::random::Random;

fn is_snake_case(id: &str) -> bool {
    !id.is_empty()
        && id.starts_with(|first: char| first.is_ascii_lowercase())
        && id.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
}

#[test]
fn ids_are_unique_and_snake_case() {
    let ids: BTreeSet<_> = all().iter().map(|spec| spec.id).collect();
    assert_eq!(ids.len(), all().len());
    for spec in all() {
        assert!(is_snake_case(spec.id), "{}", spec.id);
        let params: BTreeSet<_> = spec.params.iter().map(|param| param.id).collect();
        assert_eq!(params.len(), spec.params.len(), "{}", spec.id);
        assert!(params.iter().all(|id| is_snake_case(id)), "{}: {params:?}", spec.id);
        assert!(find(spec.id).is_some_and(|found| found == spec));
    }
}

#[test]
fn everything_has_a_label_and_a_sentence() {
    let is_sentence = |doc: &str| doc.starts_with(' ') && doc.trim_end().ends_with('.');
    for spec in all() {
        assert!(!spec.label.is_empty() && is_sentence(spec.doc), "{}", spec.id);
        for param in spec.params {
            assert!(!param.label.is_empty() && is_sentence(param.doc), "{}.{}", spec.id, param.id);
            if let ParamKind::Choice { options, .. } = param.kind {
                assert!(options.iter().all(|(id, label)| is_snake_case(id) && !label.is_empty()));
            }
        }
    }
}

#[test]
fn defaults_lie_in_their_ranges_and_are_what_a_new_filter_has() {
    for spec in all() {
        let mut filter = create(spec.id).unwrap();
        for param in spec.params {
            let fits = match param.kind {
                ParamKind::Float { default, min, max, step, logarithmic } => {
                    (min..=max).contains(&default) && step > 0.0 && min < max && (!logarithmic || min > 0.0)
                }
                ParamKind::Int { default, min, max, step } => (min..=max).contains(&default) && step > 0,
                ParamKind::Choice { default, options } => default < options.len(),
                ParamKind::Curve { default } => {
                    default.parse::<Curve>().is_ok_and(|curve| curve.to_string() == default)
                }
                ParamKind::File { extensions } => !extensions.is_empty(),
                ParamKind::Bool { .. } | ParamKind::Color { .. } | ParamKind::Text { .. } => true,
            };
            assert!(fits, "{}.{}", spec.id, param.id);
            let default = param.kind.default_value();
            assert_eq!(filter.params().get(param.id), Some(default.clone()));
            filter.params_mut().set(param.id, &default).unwrap();
        }
        assert_eq!(Some(filter), create(spec.id), "{}", spec.id);
    }
}

#[test]
fn numbers_are_clamped_wherever_they_come_from() {
    for spec in all() {
        let mut filter = create(spec.id).unwrap();
        for param in spec.params {
            let ParamKind::Float { default, min, max, .. } = param.kind else { continue };
            for (given, kept) in [(f32::INFINITY, max), (f32::NEG_INFINITY, min), (f32::NAN, default)] {
                filter.params_mut().set(param.id, &ParamValue::Float(given)).unwrap();
                assert_eq!(filter.params().get(param.id), Some(ParamValue::Float(kept)), "{}.{}", spec.id, param.id);
            }
        }
    }
}

#[test]
fn random_chains_read_back_as_they_were_written() {
    for seed in 0..100 {
        let mut random = Random::new(seed);
        let mut chain = Chain::default();
        // There are more filters than fit into one chain; each seed begins with another one.
        let specs = all();
        for spec in specs.iter().cycle().skip(seed as usize).take(specs.len().min(MOST_FILTERS)) {
            let mut filter = create(spec.id).unwrap();
            randomise(&mut filter, &mut random);
            let key = chain.add(filter).unwrap();
            chain.item_mut(key).unwrap().enabled = random.one_in(2);
        }
        let text = serde_json::to_string(&chain.to_json()).unwrap();
        assert_eq!(Chain::from_json(&text).unwrap(), chain, "seed {seed}");
    }
}

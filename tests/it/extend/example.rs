//! `examples/custom_filter.rs`: one file, and the filter is everywhere.

use serde_json::Value;

use crate::support::program::{Folder, Program, command_of, example, finish};
use crate::support::studio::eventually;

#[test]
fn a_filter_of_ones_own_is_listed_with_its_parameters() {
    let folder = Folder::new();
    let (code, list, errors) = finish(command_of(&example("custom_filter"), &folder, None, &["list", "--json"]));
    assert_eq!(code, Some(0), "{errors}");
    let list: Value = serde_json::from_str(&list).expect("the list is JSON");
    let filters = list["filters"].as_array().expect("a list");
    let own = filters.iter().find(|filter| filter["id"] == "picket_lines").expect("it is listed");
    assert_eq!(
        (&own["class"], &own["doc"]),
        (&"Added".into(), &"Darkens every few lines, as an old screen does.".into())
    );
    let params: Vec<&Value> = own["params"].as_array().expect("a list").iter().map(|param| &param["id"]).collect();
    assert_eq!(params, ["strength", "every", "color"]);
}

#[test]
fn a_filter_of_ones_own_is_in_the_picture_and_moves_with_its_sliders() {
    let folder = Folder::new();
    let path = folder.path().join("gray.png");
    image::RgbImage::from_pixel(64, 64, image::Rgb([128; 3])).save(&path).expect("the folder is the test's own");
    let source = format!("image:{}", path.display());
    let arguments = [
        "serve",
        "--port",
        "0",
        "--source",
        &source,
        "--quality",
        "100",
        "--filter",
        "picket_lines:every=8,strength=1",
    ];
    let command = command_of(&example("custom_filter"), &folder, None, &arguments);
    let program = Program::begin(folder, command);
    let picture = program.snapshot();
    let is_dark = |y: u32| picture.get_pixel(30, y).0.iter().all(|level| *level < 60);
    assert!((0..64).all(|y| is_dark(y) == (y % 8 == 0)), "every eighth line is dark");
    program.patch_chain(&serde_json::json!({ "filters": { "1": { "params": { "strength": 0 } } } }));
    // A picture that is being encoded already may still come first.
    eventually("the lines are gone", || {
        program.snapshot().pixels().all(|pixel| pixel.0.iter().all(|level| level.abs_diff(128) < 6))
    });
}

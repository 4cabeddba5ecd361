//! `examples/external/opencv_edges.py`: what it declares always, and what it computes where OpenCV is there.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lenscast::extend::Declaration;
use lenscast::filter::ParamValue;

use super::{Bench, limits, script};
use crate::support::program::Folder;
use crate::support::python::python_with;
use crate::support::studio::eventually;

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/external/opencv_edges.py")
}

#[test]
fn the_example_declares_itself_with_the_standard_library_alone() {
    let output = Command::new("python3").arg(path()).arg("--declare").stdin(Stdio::null()).output();
    let output = output.expect("python3 is installed; scripts/test sees to it");
    let declaration = Declaration::read(output.stdout.trim_ascii_end()).expect("it is a declaration");
    assert_eq!(declaration.spec.id, "opencv_edges");
    let params: Vec<&str> = declaration.spec.params.iter().map(|param| param.id).collect();
    assert_eq!(params, ["low", "high", "soften", "color"]);
}

#[test]
fn the_example_draws_outlines_where_opencv_is_installed() {
    // Without it, its protocol is still tested with the example in Rust.
    let Some(python) = python_with("cv2, numpy") else { return };
    let folder = Folder::new();
    let start = script(&folder, "edges", &format!("#!/bin/sh\nexec '{}' '{}'\n", python.display(), path().display()));
    let mut bench = Bench::with(start, limits());
    // Between the halves of the picture there is one outline.
    bench.set("soften", ParamValue::Float(0.0));
    let halves: Vec<u8> = (0..64 * 32).flat_map(|at| if at % 64 < 32 { [0, 0, 0, 255] } else { [255; 4] }).collect();
    bench.set("color", ParamValue::Color("#ff0000".parse().expect("it is a colour")));
    eventually("the border is red", || {
        let frame = bench.frame_of(super::SIZE, halves.clone());
        let row = &frame.pixels[64 * 4 * 16..][..64 * 4];
        row.as_chunks::<4>().0.contains(&[255, 0, 0, 255])
    });
    assert_eq!(bench.complaint(), None);
}

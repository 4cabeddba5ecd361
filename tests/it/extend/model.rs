//! The filter `model`, with tiny ONNX models that are made here, byte by byte.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use lenscast::extend::model::{Model, ModelResult, Network};
use lenscast::filter::{Chain, Custom, FilePath, Files, Filter};
use lenscast::frame::{Captured, PixelFormat};
use lenscast::geometry::Size;
use lenscast::pipeline::{LiveText, Stage};

use crate::support::program::{Folder, Program};
use crate::support::studio::eventually;

/// A number as protocol buffers write it.
fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

fn bytes(field: u64, value: impl AsRef<[u8]>) -> Vec<u8> {
    let value = value.as_ref();
    [varint(field << 3 | 2), varint(value.len() as u64), value.to_vec()].concat()
}

/// A tensor of floats that belongs to the model.
fn weights(name: &str, dims: &[u64], values: &[f32]) -> Vec<u8> {
    let dims: Vec<u8> = dims.iter().flat_map(|dim| number(1, *dim)).collect();
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    bytes(5, [dims, number(2, 1), bytes(8, name), bytes(9, raw)].concat())
}

/// An input or an output of floats; 0 stands for a side that is left open.
fn tensor(field: u64, name: &str, dims: &[u64]) -> Vec<u8> {
    let dim = |dim: &u64| bytes(1, if *dim == 0 { bytes(2, "side") } else { number(1, *dim) });
    let shape: Vec<u8> = dims.iter().flat_map(dim).collect();
    let kind = bytes(1, [number(1, 1), bytes(2, shape)].concat());
    bytes(field, [bytes(1, name), bytes(2, kind)].concat())
}

fn node(kind: &str, inputs: &[&str], output: &str) -> Vec<u8> {
    let inputs: Vec<u8> = inputs.iter().flat_map(|input| bytes(1, input)).collect();
    bytes(1, [inputs, bytes(2, output), bytes(4, kind)].concat())
}

/// A whole model from the parts of its graph.
fn model(parts: &[Vec<u8>]) -> Vec<u8> {
    let graph = [bytes(2, "graph"), parts.concat()].concat();
    [number(1, 8), bytes(8, number(2, 13)), bytes(7, graph)].concat()
}

/// Red becomes green, green blue, and blue red.
fn swap(sides: [u64; 2]) -> Vec<u8> {
    let [height, width] = sides;
    model(&[
        node("Conv", &["x", "w"], "y"),
        weights("w", &[3, 3, 1, 1], &[0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0]),
        tensor(11, "x", &[1, 3, height, width]),
        tensor(12, "y", &[1, 3, height, width]),
    ])
}

/// A mask of what is red.
fn red_mask() -> Vec<u8> {
    model(&[
        node("Conv", &["x", "w"], "y"),
        weights("w", &[1, 3, 1, 1], &[1.0, 0.0, 0.0]),
        tensor(11, "x", &[1, 3, 8, 8]),
        tensor(12, "y", &[1, 1, 8, 8]),
    ])
}

/// The negative, with channels last.
fn negative() -> Vec<u8> {
    model(&[
        node("Sub", &["one", "x"], "y"),
        weights("one", &[1], &[1.0]),
        tensor(11, "x", &[1, 8, 8, 3]),
        tensor(12, "y", &[1, 8, 8, 3]),
    ])
}

const SIZE: Size = Size::new(32, 16);
const COLOR: [u8; 4] = [200, 100, 0, 255];

/// A stage with a model in its chain.
struct Bench {
    stage: Stage,
    chain: Chain,
    folder: Folder,
    last_id: u64,
}

impl Bench {
    fn with(bytes: &[u8], change: impl FnOnce(&mut Model)) -> Self {
        let folder = Folder::new();
        let path = folder.path().join("tiny.onnx");
        std::fs::write(&path, bytes).expect("the folder is the test's own");
        let mut model = Model { path: FilePath(path.to_string_lossy().into_owned()), ..Model::default() };
        change(&mut model);
        let mut chain = Chain::default();
        chain.add(Filter::Custom(Custom::new(Box::new(model)))).expect("the chain is empty");
        let files = Files::new(Box::new(|path, then| then(std::fs::read(path))));
        Self { stage: Stage::new().with_files(Arc::new(files)), chain, folder, last_id: 0 }
    }

    fn frame(&mut self, pixels: Vec<u8>) -> Vec<u8> {
        self.last_id += 1;
        let at = Instant::now();
        let (format, pixels) = (PixelFormat::Rgba, pixels.into());
        let captured = Captured {
            id: self.last_id,
            size: SIZE,
            format,
            pixels,
            at,
            desktop_from_source: None,
            pointer: None,
            pressed: false,
        };
        let frame = self.stage.process(captured, &self.chain, &LiveText::default(), at).expect("it is shown");
        frame.pixels.to_vec()
    }

    fn becomes(&mut self, expected: [u8; 4]) {
        eventually("the model's result is shown", || {
            let frame = self.frame(COLOR.repeat(SIZE.pixels()));
            frame.as_chunks::<4>().0.iter().all(|pixel| pixel.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 1))
        });
        assert_eq!(self.stage.report(), []);
    }

    fn complaint(&mut self) -> String {
        self.frame(COLOR.repeat(SIZE.pixels()));
        self.stage.report().first().map(|(_, complaint)| complaint.clone()).unwrap_or_default()
    }
}

#[test]
fn a_model_of_pictures_changes_the_picture_whatever_its_size_and_order() {
    Bench::with(&swap([8, 8]), |_| {}).becomes([0, 200, 100, 255]);
    Bench::with(&swap([5, 64]), |_| {}).becomes([0, 200, 100, 255]);
    Bench::with(&swap([0, 0]), |_| {}).becomes([0, 200, 100, 255]);
    Bench::with(&negative(), |_| {}).becomes([55, 155, 255, 255]);
    Bench::with(&negative(), |model| model.amount = 0.5).becomes([128, 128, 128, 255]);
}

#[test]
fn a_mask_makes_transparent_is_shown_or_keeps_the_foreground_sharp() {
    let with = |result: ModelResult, invert: bool| {
        Bench::with(&red_mask(), |model| (model.result, model.invert) = (result, invert))
    };
    with(ModelResult::Mask, false).becomes([200, 200, 200, 255]);
    with(ModelResult::Mask, true).becomes([55, 55, 55, 255]);
    with(ModelResult::Transparent, false).becomes([200, 100, 0, 200]);
    // An even picture looks the same however it is blurred.
    with(ModelResult::Blur, false).becomes(COLOR);
    // Stripes of one pixel: all foreground stays, all background turns grey.
    let stripes = |red: u8| -> Vec<u8> {
        (0..SIZE.pixels()).flat_map(|at| if at % 2 == 0 { [red, 0, 0, 255] } else { [red, 255, 255, 255] }).collect()
    };
    let mut bench = with(ModelResult::Blur, false);
    eventually("the background is blurred", || {
        let frame = bench.frame(stripes(0));
        frame.as_chunks::<4>().0.iter().all(|pixel| pixel[1].abs_diff(128) < 40)
    });
    eventually("the foreground is sharp", || bench.frame(stripes(255)) == stripes(255));
}

#[test]
fn what_can_not_be_used_is_said_in_a_sentence_and_the_picture_goes_on() {
    let two_inputs = model(&[
        node("Add", &["x", "z"], "y"),
        tensor(11, "x", &[1, 3, 8, 8]),
        tensor(11, "z", &[1, 3, 8, 8]),
        tensor(12, "y", &[1, 3, 8, 8]),
    ]);
    let unknown =
        model(&[node("Nonsense", &["x"], "y"), tensor(11, "x", &[1, 3, 8, 8]), tensor(12, "y", &[1, 3, 8, 8])]);
    let flat = model(&[node("Relu", &["x"], "y"), tensor(11, "x", &[1, 1000]), tensor(12, "y", &[1, 1000])]);
    let whole = swap([8, 8]);
    for (bytes, expected) in [
        (&b"this is no model"[..], "tiny.onnx: "),
        (&whole[..whole.len() / 2], "tiny.onnx: "),
        (&two_inputs, "the model has 2 inputs"),
        (&unknown, "operator Nonsense, which can't be used here"),
        (&flat, "the model's input is 1 x 1000; it has to be 1 x 3"),
    ] {
        let mut bench = Bench::with(bytes, |_| {});
        let complaint = bench.complaint();
        assert!(complaint.contains(expected), "{expected}: {complaint}");
        assert_eq!(bench.frame(COLOR.repeat(SIZE.pixels())), COLOR.repeat(SIZE.pixels()));
    }
    let mut bench = Bench::with(&swap([8, 8]), |model| model.result = ModelResult::Mask);
    assert!(bench.complaint().contains("its result has the channels of a picture"));
}

#[test]
fn a_damaged_model_never_breaks_anything() {
    let mut random = crate::support::random::Random::new(5);
    for whole in [swap([8, 8]), red_mask(), negative()] {
        for _ in 0..60 {
            let mut damaged = whole.clone();
            for _ in 0..=random.below(4) {
                let at = random.below(damaged.len());
                damaged[at] = random.next() as u8;
            }
            // Either is fine, as long as it comes back.
            let _ = Network::parse(&damaged);
        }
    }
}

/// An attribute that is a list of whole numbers.
fn ints(name: &str, values: &[u64]) -> Vec<u8> {
    let values: Vec<u8> = values.iter().flat_map(|value| number(8, *value)).collect();
    bytes(5, [bytes(1, name), values, number(20, 7)].concat())
}

fn node_with(kind: &str, inputs: &[&str], output: &str, attributes: &[Vec<u8>]) -> Vec<u8> {
    let plain = node(kind, inputs, output);
    let inner = &plain[plain.len() - bytes_in(&plain)..];
    bytes(1, [inner.to_vec(), attributes.concat()].concat())
}

/// How long the content of a field is, whose key is one byte.
fn bytes_in(field: &[u8]) -> usize {
    (1..field.len())
        .find(|head| field.len() - head == read_varint(&field[1..*head]))
        .map_or(0, |head| field.len() - head)
}

fn read_varint(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |number, byte| number << 7 | usize::from(byte & 0x7f))
}

/// Whole numbers that belong to the model.
fn integers(name: &str, values: &[i64]) -> Vec<u8> {
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    bytes(5, [number(1, values.len() as u64), number(2, 7), bytes(8, name), bytes(9, raw)].concat())
}

fn input() -> Vec<u8> {
    tensor(11, "x", &[1, 3, 8, 8])
}

fn output() -> Vec<u8> {
    tensor(12, "y", &[1, 3, 8, 8])
}

#[test]
fn a_model_that_asks_for_terabytes_gets_nothing_and_a_sentence() {
    const HUGE: i64 = 1 << 20;
    let terabytes = integers("sides", &[HUGE, HUGE]);
    let column = weights("column", &[50_000, 1], &[0.0; 50_000]);
    let row = weights("row", &[1, 50_000], &[0.0; 50_000]);
    let filters = weights("w", &[64, 3, 7, 7], &[0.0; 64 * 3 * 49]);
    let formula = "(".repeat(100_000);
    let nested = bytes(1, bytes(2, &formula));
    let shape = [bytes(1, number(1, 1)), bytes(1, number(1, 3)), nested.clone(), nested].concat();
    let open = bytes(11, [bytes(1, "x"), bytes(2, bytes(1, [number(1, 1), bytes(2, shape)].concat()))].concat());
    let declared = {
        let dims: Vec<u8> = [1_u64 << 40, 4].iter().flat_map(|dim| number(1, *dim)).collect();
        bytes(5, [dims, number(2, 1), bytes(8, "w"), bytes(9, [0; 64])].concat())
    };
    let filled = [node("ConstantOfShape", &["sides"], "huge"), node("Add", &["x", "huge"], "y"), terabytes.clone()];
    let unused = [node("ConstantOfShape", &["sides"], "huge"), node("Relu", &["x"], "y"), terabytes.clone()];
    let expanded = [node("Expand", &["x", "sides"], "y"), terabytes];
    let tiled = [node("Tile", &["x", "often"], "y"), integers("often", &[1, 1, HUGE, HUGE])];
    let crossed = [node("Add", &["column", "row"], "z"), node("Add", &["x", "z"], "y"), column, row];
    let window = [node_with("AveragePool", &["x"], "y", &[ints("kernel_shape", &[1 << 20, 1 << 20])])];
    let padded = [node_with("MaxPool", &["x"], "y", &[ints("kernel_shape", &[3, 3]), ints("pads", &[1 << 30; 4])])];
    let endless = [node("Loop", &["x"], "y")];
    let many = vec![bytes(1, ""); 400_000];
    let long: Vec<Vec<u8>> = (0..5_000)
        .map(|at| {
            let from = if at == 0 { "x".to_owned() } else { format!("t{at}") };
            node("Relu", &[&from], &if at == 4_999 { "y".to_owned() } else { format!("t{}", at + 1) })
        })
        .collect();
    for (parts, said) in [
        (&filled[..], "too large"),
        (&unused, "too large"),
        (&expanded, "too large"),
        (&tiled, "too large"),
        (&crossed, "too large"),
        (&window, "kernel_shape that is too large"),
        (&padded, "pads that is too large"),
        (&[node("Conv", &["x", "w"], "y"), declared], "it is no ONNX model"),
        (&endless, "operator Loop"),
        (&many, "too many"),
        (&long, "more than 2048 layers"),
    ] {
        let error = Network::parse(&model(&[parts.concat(), input(), output()])).err();
        assert!(error.as_ref().is_some_and(|error| error.contains(said) && !error.contains('\n')), "{said}: {error:?}");
    }
    let large = model(&[node("Conv", &["x", "w"], "y"), filters, tensor(11, "x", &[1, 3, 2_048, 2_048]), output()]);
    assert!(Network::parse(&large).is_err_and(|error| error.contains("too large")));
    // A side whose name is a formula as deep as a stack is taken for one that is open.
    let deep = model(&[node("Relu", &["x"], "y"), open, output()]);
    assert_eq!(Network::parse(&deep).err(), None);
}

#[test]
fn layers_of_sizes_worked_out_by_the_model_itself_are_understood() {
    // Half the size and back, as those who export from frameworks write it: the size is taken from the picture itself.
    let whole = model(&[
        node("Shape", &["x"], "sides"),
        node_with("Conv", &["x", "w"], "half", &[ints("strides", &[2, 2])]),
        node("Relu", &["half"], "more"),
        node_with("AveragePool", &["more"], "mean", &[ints("kernel_shape", &[1, 1])]),
        node("Resize", &["mean", "", "", "sides"], "y"),
        weights("w", &[3, 3, 1, 1], &[0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0]),
        tensor(11, "x", &[0, 3, 0, 0]),
        output(),
    ]);
    Bench::with(&whole, |_| {}).becomes([0, 200, 100, 255]);
}

#[test]
fn the_program_runs_a_model_from_its_command_line() {
    let bench = Bench::with(&swap([8, 8]), |_| {});
    let model = bench.folder.path().join("tiny.onnx");
    let path = bench.folder.path().join("red.png");
    image::RgbImage::from_pixel(64, 64, image::Rgb([255, 0, 0])).save(&path).expect("the folder is the test's own");
    let source = format!("image:{}", path.display());
    let filter = |path: &Path| format!("model:path={}", path.display());
    let program = Program::serve(None, &["--source", &source, "--filter", &filter(&model)]);
    eventually("red has become green", || {
        let [red, green, blue] = program.snapshot().get_pixel(32, 32).0;
        red < 60 && green > 200 && blue < 60
    });
}

//! A model that was read and made ready for one size of input, and one run of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use tract_onnx::prelude::{
    Datum, DatumType, Framework, InferenceFact, InferenceModelExt, IntoRunnable, Tensor, TractError, TractResult,
    TypedRunnableModel, tvec,
};
use tract_onnx::tract_hir::infer::Factoid;

use super::pixels::{Levels, fill_input};
use super::{guard, wire};
use crate::geometry::Size;

/// The side of the input where the model leaves it open.
const OPEN_SIDE: usize = 256;
/// The longest side that is tried; beyond it a picture would take minutes here.
const MOST_SIDE: usize = 2_048;

/// How a picture lies in a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub size: Size,
    pub channels: usize,
    /// Height, width, channels; otherwise channels, height, width.
    pub channels_last: bool,
}

/// A model, ready to run.
pub struct Network {
    plan: Arc<TypedRunnableModel>,
    input: Layout,
    output: Layout,
    /// One run at a time: when parameters change, the run of before is let end first.
    busy: Mutex<()>,
}

impl Network {
    /// Reads a model and prepares it.
    ///
    /// # Errors
    /// When it is damaged, or of a kind that can't be used, with a sentence that says so.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        // A model is somebody's program for the library that reads it, and it may have found a bug there.
        catch_unwind(AssertUnwindSafe(|| Self::read(bytes)))
            .unwrap_or_else(|_| Err("it can't be used; the ONNX reader fails on it".to_owned()))
    }

    fn read(bytes: &[u8]) -> Result<Self, String> {
        let unreadable = |error: TractError| format!("it is no ONNX model that can be read ({})", short(&error));
        wire::check_parts(bytes)?;
        let reader = tract_onnx::onnx().with_ignore_value_info(true);
        let mut proto = reader.proto_model_for_read(&mut &*bytes).map_err(unreadable)?;
        guard::check(&mut proto)?;
        let mut model = reader.model_for_proto_model(&proto).map_err(unreadable)?;
        let unusable = |error: TractError| format!("the model can't be used ({})", short(&error));
        let [_] = model.inputs[..] else {
            return Err(format!("the model has {} inputs; it has to have one, the picture", model.inputs.len()));
        };
        let fact = model.input_fact(0).map_err(unusable)?;
        if fact.datum_type.concretize().is_some_and(|datum| datum != DatumType::F32) {
            return Err("the model's input has to be 32-bit floating point".to_owned());
        }
        let dims: Vec<Option<usize>> = fact
            .shape
            .dims()
            .map(|dim| dim.concretize().and_then(|dim| dim.to_i64().ok()).and_then(|side| usize::try_from(side).ok()))
            .collect();
        let input = input_layout(&dims)?;
        model =
            model.with_input_fact(0, InferenceFact::dt_shape(f32::datum_type(), input.shape())).map_err(unusable)?;
        for output in 0..model.outputs.len() {
            // What it says of its results may name sides that are fixed now.
            model.set_output_fact(output, InferenceFact::default()).map_err(unusable)?;
        }
        guard::analyse(&mut model, &proto)?;
        drop(proto);
        let model = model.into_optimized().map_err(unusable)?;
        let fact = model.output_fact(0).map_err(unusable)?;
        let output = fact.shape.as_concrete().and_then(output_layout);
        let output = output.ok_or_else(|| {
            format!("the model's result has the shape {:?}, which is neither a picture nor a mask", fact.shape)
        })?;
        let plan = model.into_runnable().map_err(unusable)?;
        Ok(Self { plan, input, output, busy: Mutex::default() })
    }

    /// Whether its result is one channel, or two of which the second counts.
    pub fn makes_masks(&self) -> bool {
        self.output.channels <= 2
    }

    /// Runs the model on an RGBA picture, unless `is_over` by the time that its turn comes.
    ///
    /// # Errors
    /// When the model fails on it.
    pub(super) fn run(&self, picture: &[u8], size: Size, is_over: impl Fn() -> bool) -> Result<Option<Levels>, String> {
        let _turn = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        if is_over() {
            return Ok(None);
        }
        let input = fill_input(picture, size, self.input);
        let run = || -> TractResult<Option<Levels>> {
            let input = Tensor::from_shape(&self.input.shape(), &input)?;
            let outputs = self.plan.run(tvec!(input.into()))?;
            let Some(output) = outputs.first() else { return Ok(None) };
            let output = output.cast_to::<f32>()?;
            Ok(Some(Levels::new(output.try_as_plain_ram()?.as_slice::<f32>()?, self.output)))
        };
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(ran) => ran.map_err(|error| format!("the model fails on this picture ({})", short(&error))),
            Err(_) => Err("the model fails on this picture; the library that runs it broke".to_owned()),
        }
    }
}

impl Layout {
    fn shape(self) -> [usize; 4] {
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        if self.channels_last { [1, height, width, self.channels] } else { [1, self.channels, height, width] }
    }
}

/// The innermost reason, on one line.
fn short(error: &TractError) -> String {
    let reason = error.root_cause().to_string();
    reason.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(160).collect()
}

/// `None` stands for a side that the model leaves open.
fn input_layout(dims: &[Option<usize>]) -> Result<Layout, String> {
    let shown: Vec<String> = dims.iter().map(|dim| dim.map_or("?".to_owned(), |dim| dim.to_string())).collect();
    let is_color = |dim: Option<usize>| dim.filter(|channels| matches!(channels, 1 | 3));
    let (sides, channels, channels_last) = match *dims {
        [None | Some(1), channels, height, width] if is_color(channels).is_some() => ([width, height], channels, false),
        [None | Some(1), height, width, channels] if is_color(channels).is_some() => ([width, height], channels, true),
        _ => {
            return Err(format!(
                "the model's input is {}; it has to be 1 x 3 x height x width or 1 x height x width x 3, or 1 instead of 3",
                shown.join(" x ")
            ));
        }
    };
    let [width, height] = sides.map(|side| side.unwrap_or(OPEN_SIDE));
    if [width, height].iter().any(|side| !(1..=MOST_SIDE).contains(side)) {
        return Err(format!("the model's input of {width} x {height} is too large; at most {MOST_SIDE} a side"));
    }
    Ok(Layout { size: Size::new(width as u32, height as u32), channels: channels.unwrap_or(3), channels_last })
}

/// Leading ones are the batch, or a single channel.
fn output_layout(dims: &[usize]) -> Option<Layout> {
    let batch = dims.iter().take_while(|dim| **dim == 1).count().min(dims.len().saturating_sub(2));
    let (sides, channels, channels_last) = match dims[batch..] {
        [height, width] => ([width, height], 1, false),
        [channels @ 1..=4, height, width] => ([width, height], channels, false),
        [height, width, channels @ 1..=4] => ([width, height], channels, true),
        _ => return None,
    };
    let [width, height] = sides.map(|side| u32::try_from(side).unwrap_or(0));
    let fits = |side: u32| (1..=4 * MOST_SIDE as u32).contains(&side);
    (fits(width) && fits(height)).then_some(Layout { size: Size::new(width, height), channels, channels_last })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_of_both_orders_are_understood_and_open_sides_get_a_size() {
        let layout = |width, height, channels, channels_last| {
            Ok(Layout { size: Size::new(width, height), channels, channels_last })
        };
        assert_eq!(input_layout(&[Some(1), Some(3), Some(20), Some(30)]), layout(30, 20, 3, false));
        assert_eq!(input_layout(&[None, Some(20), Some(30), Some(1)]), layout(30, 20, 1, true));
        assert_eq!(input_layout(&[None, Some(3), None, None]), layout(256, 256, 3, false));
        for wrong in [&[Some(1), Some(3), Some(20)][..], &[Some(2), Some(3), Some(8), Some(8)], &[None; 4], &[]] {
            assert!(input_layout(wrong).unwrap_err().contains("it has to be 1 x 3 x height x width"), "{wrong:?}");
        }
        assert!(input_layout(&[None, Some(3), Some(90_000), Some(8)]).unwrap_err().contains("too large"));
    }

    #[test]
    fn results_are_pictures_or_masks() {
        let channels = |dims: &[usize]| output_layout(dims).map(|layout| (layout.size, layout.channels));
        let size = Size::new(30, 20);
        assert_eq!(channels(&[1, 3, 20, 30]), Some((size, 3)));
        assert_eq!(channels(&[1, 20, 30, 2]), Some((size, 2)));
        assert_eq!(channels(&[1, 1, 20, 30]), Some((size, 1)));
        assert_eq!(channels(&[20, 30]), Some((size, 1)));
        assert_eq!(channels(&[1, 1_000]), Some((Size::new(1_000, 1), 1)));
        for wrong in [&[1, 7, 20, 30][..], &[5, 3, 20, 30], &[1_000], &[], &[1, 3, 0, 30]] {
            assert_eq!(output_layout(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn what_is_no_model_is_said_so() {
        for bytes in [&b""[..], b"not a model", &[0xff; 400], &[0x0a; 64]] {
            assert!(Network::parse(bytes).is_err());
        }
    }
}

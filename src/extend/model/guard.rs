//! What a model may ask for. Memory that can't be had ends the whole program, and no `catch_unwind` helps against that, so
//! the size of everything that a model would make is known and bounded before any of it is made.

use tract_onnx::pb::{AttributeProto, ModelProto, NodeProto, tensor_shape_proto, type_proto};
use tract_onnx::prelude::{DatumType, OutletId, TVec, tvec};
use tract_onnx::tract_hir::infer::{Factoid, InferenceFact, InferenceModel};

/// Layers and tables of weights at most, each; reading takes time by the square of their number.
const MOST_NODES: usize = 2_048;
/// Sides of a tensor at most.
const MOST_RANK: usize = 8;
/// Numbers in one tensor at most: 256 MiB of 32-bit ones.
const MOST_NUMBERS: usize = 64 << 20;
/// Numbers in all tensors of one run at most. Most of them are let go before the run is over.
const MOST_NUMBERS_IN_ALL: usize = 512 << 20;
/// Multiplications of one run at most. On two cores they take more than ten seconds, far beyond what is of use.
const MOST_WORK: usize = 1 << 37;
/// Numbers that are gathered for one convolution at most.
const MOST_GATHERED: usize = 128 << 20;
/// The largest number among an operator's settings, and among those that say how a window moves over the picture.
const MOST_SETTING: u64 = 1 << 16;
const MOST_STEP: u64 = 256;
/// Numbers under a window at most.
const MOST_WINDOW: u64 = 1 << 14;

/// The operators that are used: those that networks over pictures consist of, and whose results have a size that follows
/// from the sizes of what goes in. Loops, branches, random numbers and parsers of text are not among them.
const OPERATORS: &str = "\
    Abs Add And ArgMax AveragePool BatchNormalization Cast Ceil Celu Clip Concat Constant ConstantOfShape Conv \
    ConvTranspose Cos DepthToSpace DequantizeLinear Div Dropout Elu Equal Erf Exp Expand Flatten Floor Gather Gelu \
    Gemm GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual HardSigmoid HardSwish Identity \
    InstanceNormalization LRN LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax MatMul Max MaxPool Mean \
    Min Mish Mod Mul Neg Not Or PRelu Pad Pow QuantizeLinear Reciprocal ReduceL1 ReduceL2 ReduceMax ReduceMean \
    ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize Round Selu Shape Sigmoid Sign Sin Slice \
    Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Swish Tan Tanh ThresholdedRelu Tile \
    Transpose Unsqueeze Upsample Where";

/// Looks at what was read, and takes out what is not needed and could do harm: names of sides are formulas, which the
/// library parses as deeply as they are nested.
pub(super) fn check(model: &mut ModelProto) -> Result<(), String> {
    model.functions.clear();
    model.training_info.clear();
    let Some(graph) = &mut model.graph else { return Err("the model has no graph".to_owned()) };
    graph.value_info.clear();
    for output in &mut graph.output {
        output.r#type = None;
    }
    for input in &mut graph.input {
        let Some(type_proto::Value::TensorType(tensor)) = input.r#type.as_mut().and_then(|kind| kind.value.as_mut())
        else {
            continue;
        };
        for dim in tensor.shape.iter_mut().flat_map(|shape| &mut shape.dim) {
            dim.value =
                dim.value.take().filter(|side| matches!(side, tensor_shape_proto::dimension::Value::DimValue(_)));
        }
    }
    if graph.node.len().max(graph.initializer.len()).max(graph.input.len()).max(graph.output.len()) > MOST_NODES {
        return Err(format!("the model has more than {MOST_NODES} layers"));
    }
    if !graph.sparse_initializer.is_empty() {
        return Err("the model has sparse weights, which can't be read".to_owned());
    }
    if let Some(wide) = graph.initializer.iter().find(|tensor| tensor.dims.len() > MOST_RANK) {
        return Err(format!("the model's weights {} have {} sides", name(&wide.name), wide.dims.len()));
    }
    graph.node.iter().try_for_each(check_node)
}

fn check_node(node: &NodeProto) -> Result<(), String> {
    let operator = node.op_type.as_str();
    if !OPERATORS.split(' ').any(|known| known == operator) || !matches!(node.domain.as_str(), "" | "ai.onnx") {
        return Err(format!("the model has the operator {}, which can't be used here", name(operator)));
    }
    let is_value = matches!(operator, "Constant" | "Slice");
    for attribute in &node.attribute {
        if attribute.g.is_some() || !attribute.graphs.is_empty() {
            return Err(format!("the model has a graph in its operator {operator}, which can't be used here"));
        }
        if !is_value && !is_in_range(attribute) {
            return Err(format!("the model's operator {operator} has a {} that is too large", name(&attribute.name)));
        }
    }
    Ok(())
}

fn is_in_range(attribute: &AttributeProto) -> bool {
    let numbers = || attribute.ints.iter().chain([&attribute.i]).map(|number| number.unsigned_abs());
    match attribute.name.as_str() {
        "kernel_shape" => {
            let window = attribute.ints.iter().try_fold(1, |window: u64, side| window.checked_mul(side.unsigned_abs()));
            attribute.ints.len() <= MOST_RANK && window.is_some_and(|window| window <= MOST_WINDOW)
        }
        "pads" | "strides" | "dilations" | "output_padding" => numbers().all(|number| number <= MOST_STEP),
        _ => numbers().all(|number| number <= MOST_SETTING),
    }
}

/// A name out of a model, fit for a sentence.
fn name(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric() || "_./:-".contains(*letter)).take(40).collect()
}

/// Works out the size of everything that the model makes, layer by layer in the order of the file, before the library may
/// compute any of it. The size of the input has to be known by now.
pub(super) fn analyse(model: &mut InferenceModel, proto: &ModelProto) -> Result<(), String> {
    let nodes = proto.graph.as_ref().map(|graph| &graph.node[..]).unwrap_or_default();
    // Inputs and weights stand first, then each layer of the file as one node.
    let Some(first) = model.nodes.len().checked_sub(nodes.len()) else { return Err("the model is damaged".to_owned()) };
    let (mut numbers, mut work) = (0_usize, 0_usize);
    for id in 0..model.nodes.len() {
        let layer = id.checked_sub(first).and_then(|layer| nodes.get(layer));
        let operator = layer.map_or("input", |layer| layer.op_type.as_str());
        let failed = |error: &dyn std::fmt::Display| {
            let error: String = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
            format!("the model's operator {operator} can't be used ({})", error.chars().take(160).collect::<String>())
        };
        let (inputs, outputs) = model.node_facts(id).map_err(|error| failed(&error))?;
        let [inputs, outputs] = [inputs, outputs].map(|facts| facts.into_iter().cloned().collect::<TVec<_>>());
        let mut op = model.nodes[id].op.clone();
        // Only the rules, without computing what is known already: that would make it before its size was looked at.
        let (_, made, _) = op
            .infer_facts(inputs.iter().collect(), outputs.iter().collect(), tvec!())
            .map_err(|error| failed(&error.root_cause()))?;
        for fact in &made {
            let count = numbers_in(fact).ok_or_else(|| {
                format!(
                    "the model's operator {operator} makes a tensor of {:?}, which is too large, or of no known size",
                    fact.shape
                )
            })?;
            numbers = numbers.saturating_add(count);
            work = work.saturating_add(effort(layer, &inputs, count)?);
        }
        if numbers > MOST_NUMBERS_IN_ALL || work > MOST_WORK {
            return Err("the model is too large: one picture would take far too long".to_owned());
        }
        let inferred = op.infer(inputs.iter().collect(), outputs.iter().collect(), tvec!());
        let (_, made, _) = inferred.map_err(|error| failed(&error.root_cause()))?;
        model.nodes[id].op = op;
        for (slot, fact) in made.into_iter().enumerate() {
            model.set_outlet_fact(OutletId::new(id, slot), fact).map_err(|error| failed(&error))?;
        }
    }
    Ok(())
}

/// `None` where that is too many, or not known.
fn numbers_in(fact: &InferenceFact) -> Option<usize> {
    let sides = sides(fact)?;
    let numbers = sides.iter().try_fold(1, |numbers: usize, side| numbers.checked_mul(*side))?;
    let is_number = fact.datum_type.concretize().is_none_or(|kind| kind != DatumType::String);
    (sides.len() <= MOST_RANK && numbers <= MOST_NUMBERS && is_number).then_some(numbers)
}

fn sides(fact: &InferenceFact) -> Option<Vec<usize>> {
    let shape = fact.shape.concretize()?;
    shape.iter().map(|side| side.to_i64().ok().and_then(|side| usize::try_from(side).ok())).collect()
}

/// Multiplications for `count` results of a layer, or for each of several results all of them again.
fn effort(layer: Option<&NodeProto>, inputs: &[InferenceFact], count: usize) -> Result<usize, String> {
    let Some(layer) = layer else { return Ok(0) };
    let sides_of = |at: usize| inputs.get(at).and_then(sides).unwrap_or_default();
    let product = |sides: &[usize]| sides.iter().fold(1_usize, |product, side| product.saturating_mul(*side));
    let window = layer.attribute.iter().filter(|attribute| attribute.name == "kernel_shape");
    let window =
        window.flat_map(|attribute| &attribute.ints).fold(1, |all: usize, side| all.saturating_mul(*side as usize));
    let effort = match layer.op_type.as_str() {
        "Conv" => {
            let (weights, filters) = (sides_of(1), sides_of(1).first().copied().unwrap_or(1).max(1));
            let each = product(&weights) / filters;
            // Each place of the picture is gathered with its neighbours, once for all filters of a group.
            let channels = sides_of(0).get(1).copied().unwrap_or(1);
            let under = weights.get(2..).map_or(1, &product);
            if (count / filters).saturating_mul(channels).saturating_mul(under) > MOST_GATHERED {
                return Err("the model is too large: one of its convolutions would take too much memory".to_owned());
            }
            count.saturating_mul(each)
        }
        "ConvTranspose" => {
            let weights = sides_of(1);
            product(&sides_of(0)).saturating_mul(product(&weights) / weights.first().copied().unwrap_or(1).max(1))
        }
        "MatMul" | "Gemm" => count.saturating_mul(sides_of(0).into_iter().max().unwrap_or(1)),
        "LRN" => count.saturating_mul(MOST_STEP as usize),
        _ => count.saturating_mul(window),
    };
    Ok(effort)
}

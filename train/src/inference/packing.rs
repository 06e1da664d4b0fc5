//! Parameters on their way into packed weights, one after the other: what is packed is needed no longer.

use std::ops::Range;

use burn::{module::Param, tensor::Tensor};
use kernels::packed::{Line, WIDE, WeightFormat, elementwise::Norm, matrix::Matrix, memory::Memory, product::Linear};

use super::weights::{Block, Weights};
use crate::{
    model::{Architecture, Gpt, VisitNamed, visit_named},
    tensor::merge_low_rank,
};

/// Weights of which some are packed.
#[derive(Debug)]
pub struct Packing {
    memory: Memory,
    architecture: Architecture,
    format: WeightFormat,
    tokens: Option<Matrix>,
    positions: Option<Vec<f32>>,
    head: Option<Matrix>,
    norm: Parameters,
    layers: Vec<Layer>,
}

/// A norm's parameters.
#[derive(Debug, Default)]
struct Parameters {
    gain: Vec<f32>,
    bias: Option<Vec<f32>>,
}

/// What is known of a block.
#[derive(Debug, Default)]
struct Layer {
    attention_norm: Parameters,
    feed_forward_norm: Parameters,
    linears: [(Option<Matrix>, Option<Vec<f32>>); 4],
}

/// The block of a parameter, and its name within that.
fn of_block(name: &str) -> Option<(usize, &str)> {
    let (layer, name) = name.strip_prefix("blocks.")?.split_once('.')?;
    Some((layer.parse().ok()?, name))
}

/// The linear layers of a block by their names, with inputs, and columns in panels.
fn shapes(architecture: &Architecture) -> [(&'static str, [usize; 2]); 4] {
    let Architecture { hidden_size, intermediate_size, .. } = *architecture;
    let is_gated = architecture.feed_forward.is_gated();
    let up = if is_gated { 2 * intermediate_size.next_multiple_of(WIDE) } else { intermediate_size };
    [
        ("attention.input", [hidden_size, architecture.attention_columns()]),
        ("attention.output", [architecture.query_columns(), hidden_size]),
        ("feed_forward.up", [hidden_size, up]),
        ("feed_forward.down", [intermediate_size, hidden_size]),
    ]
}

/// The memory that all weights take.
fn bytes(architecture: &Architecture, vocab_size: usize, format: WeightFormat) -> usize {
    let block: usize =
        shapes(architecture).iter().map(|(_, [inputs, outputs])| Matrix::bytes(format, *inputs, *outputs)).sum();
    let tables = if architecture.tie_embeddings { 1 } else { 2 };
    architecture.num_layers * block + tables * Matrix::bytes(format, architecture.hidden_size, vocab_size)
}

impl Packing {
    /// Nothing yet of a decoder.
    #[must_use]
    pub fn new(architecture: &Architecture, vocab_size: usize, format: WeightFormat) -> Self {
        Self {
            memory: Memory::new(bytes(architecture, vocab_size, format)),
            architecture: *architecture,
            format,
            tokens: None,
            positions: None,
            head: None,
            norm: Parameters::default(),
            layers: (0..architecture.num_layers).map(|_| Layer::default()).collect(),
        }
    }

    /// All of a decoder; its adapters are merged into what they are for.
    #[must_use]
    pub fn of(model: &Gpt, format: WeightFormat) -> Self {
        let packing = Self::new(model.architecture(), model.vocab_size(), format);
        let mut visit = Visit { model, packing };
        visit_named(model, &mut visit);
        visit.packing
    }

    /// How weights are held.
    #[must_use]
    pub fn format(&self) -> WeightFormat {
        self.format
    }

    /// Packs a parameter. Gives back what is not packed.
    pub fn take(&mut self, name: &str, values: Vec<f32>) -> Option<Vec<f32>> {
        match name {
            "tokens" => self.tokens = Some(self.table(&values)),
            "head" => self.head = Some(self.table(&values)),
            "positions" => self.positions = Some(values),
            _ => {
                if let Some(part) = name.strip_prefix("norm.") {
                    return self.norm.take(part, values);
                }
                let Some((layer, name)) = of_block(name) else { return Some(values) };
                return self.take_of_block(layer, name, values);
            }
        }
        None
    }

    fn take_of_block(&mut self, layer: usize, name: &str, values: Vec<f32>) -> Option<Vec<f32>> {
        if let Some(part) = name.strip_prefix("attention_norm.") {
            return self.layers[layer].attention_norm.take(part, values);
        }
        if let Some(part) = name.strip_prefix("feed_forward_norm.") {
            return self.layers[layer].feed_forward_norm.take(part, values);
        }
        for (number, (linear, shape)) in shapes(&self.architecture).into_iter().enumerate() {
            match name.strip_prefix(linear) {
                Some(".weight") => self.layers[layer].linears[number].0 = Some(self.linear(linear, shape, &values)),
                Some(".bias") => self.layers[layer].linears[number].1 = Some(values),
                _ => continue,
            }
            return None;
        }
        Some(values)
    }

    /// A table of tokens, `[vocab_size, hidden_size]`, whose rows are outputs.
    fn table(&mut self, values: &[f32]) -> Matrix {
        let inputs = self.architecture.hidden_size;
        let outputs = values.len() / inputs;
        let line = |input: usize, panel: usize| {
            let mut line = Line::ZERO;
            let rows = values[panel * WIDE * inputs..].chunks_exact(inputs);
            line.0.iter_mut().zip(rows).for_each(|(number, row)| *number = row[input]);
            line
        };
        Matrix::pack(&mut self.memory, self.format, [inputs, outputs], line)
    }

    /// A layer's weight, `[inputs, columns]`.
    fn linear(&mut self, name: &str, [inputs, outputs]: [usize; 2], values: &[f32]) -> Matrix {
        let (columns, is_gated) = (values.len() / inputs, self.is_gated(name));
        let line = |input: usize, panel: usize| {
            let mut line = Line::ZERO;
            let numbers = &values[input * columns..][of_panel(is_gated, columns, panel)];
            line.0[..numbers.len()].copy_from_slice(numbers);
            line
        };
        Matrix::pack(&mut self.memory, self.format, [inputs, outputs], line)
    }

    /// Whether a layer's first half is the gate of its second.
    fn is_gated(&self, name: &str) -> bool {
        name == "feed_forward.up" && self.architecture.feed_forward.is_gated()
    }

    fn of_norm(&self, parameters: &Parameters) -> Norm {
        let architecture = &self.architecture;
        #[expect(clippy::cast_possible_truncation, reason = "numbers of a model are single precision")]
        let epsilon = architecture.norm_eps as f32;
        Norm {
            gain: lines(&parameters.gain),
            bias: parameters.bias.as_deref().map(lines),
            width: architecture.hidden_size,
            epsilon,
        }
    }

    /// All weights.
    ///
    /// - `model`: what relative positions are read off
    pub(super) fn finished(mut self, model: &Gpt) -> Weights {
        let architecture = self.architecture;
        let layers = std::mem::take(&mut self.layers);
        let blocks = layers.into_iter().map(|layer| {
            let mut linears =
                layer.linears.into_iter().zip(shapes(&architecture)).map(|((weight, bias), (name, [_, outputs]))| {
                    let bias = bias.map(|bias| {
                        let line = |panel| lines(&bias[of_panel(self.is_gated(name), bias.len(), panel)])[0];
                        (0..outputs.div_ceil(WIDE)).map(line).collect()
                    });
                    Linear { weight: weight.expect("a block has all its layers"), bias }
                });
            let mut next = || linears.next().expect("there are four");
            let [input, output, up, down] = [next(), next(), next(), next()];
            Block {
                attention_norm: self.of_norm(&layer.attention_norm),
                input,
                output,
                feed_forward_norm: self.of_norm(&layer.feed_forward_norm),
                up,
                down,
            }
        });
        let blocks = blocks.collect();
        let tokens = self.tokens.take().expect("a model has embeddings");
        let (tokens, head) = match self.head.take() {
            Some(head) => (Some(tokens), head),
            None => (None, tokens),
        };
        let distances = model.relative_bias(architecture.context_length - 1).map(|bias| {
            let [_, distances] = bias.by_distance.dims();
            let values: Vec<f32> = bias.by_distance.into_data().try_to_vec().expect("parameters are single precision");
            // up to the key at the query's own place, and from there back
            values.chunks_exact(distances).flat_map(|of_head| of_head[..=bias.zero].iter().rev()).copied().collect()
        });
        let last = std::mem::take(&mut self.norm);
        let norm = (!last.gain.is_empty()).then(|| self.of_norm(&last));
        let Self { memory, positions, .. } = self;
        Weights { memory, tokens, positions, distances, blocks, norm, head: Linear { weight: head, bias: None } }
    }
}

struct Visit<'m> {
    model: &'m Gpt,
    packing: Packing,
}

impl VisitNamed for Visit<'_> {
    fn visit<const D: usize>(&mut self, name: &str, param: &Param<Tensor<D>>) {
        let numbers =
            |tensor: Tensor<D>| tensor.into_data().try_to_vec::<f32>().expect("parameters are single precision");
        let mut values = numbers(param.val());
        let linear = of_block(name).and_then(|(layer, name)| Some((layer, name.strip_suffix(".weight")?)));
        if let Some(update) = linear.and_then(|(layer, name)| self.model.adapter(layer, name)) {
            let [a, b] = [update.a, update.b]
                .map(|tensor| tensor.into_data().try_to_vec::<f32>().expect("parameters are single precision"));
            merge_low_rank(&mut values, param.dims()[D - 1], [&a, &b], &update.ranges, update.scale);
        }
        // what is left is what adapters and relative positions are made of
        self.packing.take(name, values);
    }
}

impl Parameters {
    fn take(&mut self, part: &str, values: Vec<f32>) -> Option<Vec<f32>> {
        match part {
            "gain" => self.gain = values,
            _ => self.bias = Some(values),
        }
        None
    }
}

/// The columns of a layer that stand in a panel: in their order, but where each panel of gates stands before what it gates.
fn of_panel(is_gated: bool, columns: usize, panel: usize) -> Range<usize> {
    if is_gated {
        let (half, first) = (columns / 2, panel / 2 * WIDE);
        let begin = panel % 2 * half;
        return begin + first..begin + half.min(first + WIDE);
    }
    panel * WIDE..columns.min((panel + 1) * WIDE)
}

/// Numbers in lines; zeros behind the last.
fn lines(numbers: &[f32]) -> Vec<Line> {
    let line = |numbers: &[f32]| {
        let mut line = Line::ZERO;
        line.0[..numbers.len()].copy_from_slice(numbers);
        line
    };
    numbers.chunks(WIDE).map(line).collect()
}

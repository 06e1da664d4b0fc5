//! The numbers of a model, packed.

use burn::{module::Param, tensor::Tensor};

use super::{
    WeightFormat,
    elementwise::Norm,
    kernel::line::{Line, WIDE},
    matrix::Matrix,
    memory::Memory,
    product::Linear,
};
use crate::{
    model::{Architecture, Gpt, VisitNamed, visit_named},
    tensor::merge_low_rank,
};

/// A block.
#[derive(Debug)]
pub struct Block {
    pub attention_norm: Norm,
    /// To queries, keys and values side by side.
    pub input: Linear,
    pub output: Linear,
    pub feed_forward_norm: Norm,
    /// Where it is gated, each panel of gates stands before the panel that it gates.
    pub up: Linear,
    pub down: Linear,
}

/// All numbers of a model.
#[derive(Debug)]
pub struct Weights {
    pub memory: Memory,
    /// Token embeddings, as outputs; none where they are those of the head.
    pub tokens: Option<Matrix>,
    /// `[context_length, hidden_size]`.
    pub positions: Option<Vec<f32>>,
    /// `[num_heads][context_length]`: what is added to scores, by how far a key stands before its query.
    pub distances: Option<Vec<f32>>,
    pub blocks: Vec<Block>,
    pub norm: Option<Norm>,
    pub head: Linear,
}

impl Weights {
    /// Those of a model, in a format; its adapters are merged into them.
    pub fn new(model: &Gpt, format: WeightFormat) -> Self {
        let architecture = model.architecture();
        let mut packing = Packing {
            memory: Memory::new(bytes(architecture, model.vocab_size(), format)),
            model,
            format,
            tokens: None,
            positions: None,
            head: None,
            norms: Norms::default(),
            layers: (0..architecture.num_layers).map(|_| Layer::default()).collect(),
        };
        visit_named(model, &mut packing);
        packing.finished()
    }
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

/// A norm's parameters.
#[derive(Debug, Default)]
struct Parameters {
    gain: Vec<f32>,
    bias: Option<Vec<f32>>,
}

#[derive(Debug, Default)]
struct Norms {
    last: Parameters,
}

/// What is known of a block.
#[derive(Debug, Default)]
struct Layer {
    attention_norm: Parameters,
    feed_forward_norm: Parameters,
    linears: [(Option<Matrix>, Option<Vec<f32>>); 4],
}

/// Weights on their way.
struct Packing<'a> {
    memory: Memory,
    model: &'a Gpt,
    format: WeightFormat,
    tokens: Option<Matrix>,
    positions: Option<Vec<f32>>,
    head: Option<Matrix>,
    norms: Norms,
    layers: Vec<Layer>,
}

impl VisitNamed for Packing<'_> {
    fn visit<const D: usize>(&mut self, name: &str, param: &Param<Tensor<D>>) {
        let values = || param.val().into_data().try_to_vec::<f32>().expect("parameters are single precision");
        let norm = |norm: &mut Parameters, part: &str| match part {
            "gain" => norm.gain = values(),
            _ => norm.bias = Some(values()),
        };
        match name {
            "tokens" => self.tokens = Some(self.table(&values())),
            "head" => self.head = Some(self.table(&values())),
            "positions" => self.positions = Some(values()),
            _ => {}
        }
        if let Some(part) = name.strip_prefix("norm.") {
            norm(&mut self.norms.last, part);
        }
        let Some((layer, name)) = name.strip_prefix("blocks.").and_then(|name| name.split_once('.')) else { return };
        let layer: usize = layer.parse().expect("blocks are numbered");
        if let Some(part) = name.strip_prefix("attention_norm.") {
            norm(&mut self.layers[layer].attention_norm, part);
        }
        if let Some(part) = name.strip_prefix("feed_forward_norm.") {
            norm(&mut self.layers[layer].feed_forward_norm, part);
        }
        for (number, (linear, shape)) in shapes(self.model.architecture()).into_iter().enumerate() {
            match name.strip_prefix(linear) {
                Some(".weight") => {
                    self.layers[layer].linears[number].0 = Some(self.linear(layer, linear, shape, values()));
                }
                Some(".bias") => self.layers[layer].linears[number].1 = Some(values()),
                _ => {}
            }
        }
    }
}

impl Packing<'_> {
    /// A table of tokens, `[vocab_size, hidden_size]`, whose rows are outputs.
    fn table(&mut self, values: &[f32]) -> Matrix {
        let inputs = self.model.architecture().hidden_size;
        let outputs = values.len() / inputs;
        let at = |input: usize, output: usize| values[output * inputs + input];
        Matrix::pack(&mut self.memory, self.format, [inputs, outputs], at)
    }

    /// A layer's weight, `[inputs, columns]`.
    fn linear(&mut self, layer: usize, name: &str, [inputs, outputs]: [usize; 2], mut values: Vec<f32>) -> Matrix {
        let columns = values.len() / inputs;
        if let Some(update) = self.model.adapter(layer, name) {
            let [a, b] = [update.a, update.b]
                .map(|tensor| tensor.into_data().try_to_vec::<f32>().expect("parameters are single precision"));
            merge_low_rank(&mut values, columns, [&a, &b], &update.ranges, update.scale);
        }
        let order = self.order(name, columns);
        let at = |input: usize, output: usize| order(output).map_or(0.0, |column| values[input * columns + column]);
        Matrix::pack(&mut self.memory, self.format, [inputs, outputs], at)
    }

    /// Which column of a layer stands at an output: others than all in their order where a panel of gates stands before what it gates.
    fn order(&self, name: &str, columns: usize) -> impl Fn(usize) -> Option<usize> + Sync + use<> {
        let is_gated = name == "feed_forward.up" && self.model.architecture().feed_forward.is_gated();
        move |output: usize| {
            if !is_gated {
                return Some(output);
            }
            let (panel, lane) = (output / WIDE, output % WIDE);
            let column = panel / 2 * WIDE + lane;
            (column < columns / 2).then_some(column + panel % 2 * (columns / 2))
        }
    }

    fn norm(&self, parameters: &Parameters) -> Norm {
        let architecture = self.model.architecture();
        #[expect(clippy::cast_possible_truncation, reason = "numbers of a model are single precision")]
        let epsilon = architecture.norm_eps as f32;
        Norm {
            gain: lines(&parameters.gain),
            bias: parameters.bias.as_deref().map(lines),
            width: architecture.hidden_size,
            epsilon,
        }
    }

    fn finished(mut self) -> Weights {
        let architecture = *self.model.architecture();
        let layers = std::mem::take(&mut self.layers);
        let blocks = layers.into_iter().map(|layer| {
            let mut linears =
                layer.linears.into_iter().zip(shapes(&architecture)).map(|((weight, bias), (name, [_, outputs]))| {
                    let bias = bias.map(|bias| {
                        let order = self.order(name, bias.len());
                        let of =
                            |output: usize| order(output).and_then(|column| bias.get(column)).copied().unwrap_or(0.0);
                        lines(&(0..outputs).map(of).collect::<Vec<f32>>())
                    });
                    Linear { weight: weight.expect("a block has all its layers"), bias }
                });
            let mut next = || linears.next().expect("there are four");
            let [input, output, up, down] = [next(), next(), next(), next()];
            Block {
                attention_norm: self.norm(&layer.attention_norm),
                input,
                output,
                feed_forward_norm: self.norm(&layer.feed_forward_norm),
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
        let distances = self.model.relative_bias(architecture.context_length - 1).map(|bias| {
            let [_, distances] = bias.by_distance.dims();
            let values: Vec<f32> = bias.by_distance.into_data().try_to_vec().expect("parameters are single precision");
            // up to the key at the query's own place, and from there back
            values.chunks_exact(distances).flat_map(|of_head| of_head[..=bias.zero].iter().rev()).copied().collect()
        });
        let last = std::mem::take(&mut self.norms.last);
        let norm = (!last.gain.is_empty()).then(|| self.norm(&last));
        let Self { memory, positions, .. } = self;
        Weights { memory, tokens, positions, distances, blocks, norm, head: Linear { weight: head, bias: None } }
    }
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

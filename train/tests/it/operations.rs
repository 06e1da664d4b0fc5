//! Every operation against its definition, in double precision: what comes out, and every gradient.
//!
//! The definitions here are written for the eye: a loop for every sum, and gradients by central differences.

use std::{ops::Range, sync::Arc};

use burn::tensor::{Tensor, TensorData};
use train::tensor::{
    AdamWStep, Angles, AttentionMask, DistanceBias, Dropout, Heads, LowRank, Operations, adapted_linear, attention,
    biased_attention, cross_attention, dropout, embedding, geglu, gelu, head, head_loss, head_losses, linear, norm,
    relu, rotary, swiglu, update, with,
};

use crate::devices::{everywhere, here, slack};

/// An input: its shape and its numbers.
type Input = (Vec<usize>, Vec<f64>);

fn random_input(seed: u64, shape: &[usize]) -> Input {
    let count = shape.iter().product();
    let number = |index: usize| {
        let bits = (index as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15 ^ (seed << 32)).rotate_left(29);
        let bits = (bits ^ (bits >> 31)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (bits >> 11) as f64 / (1u64 << 53) as f64 * 3.0 - 1.5
    };
    (shape.to_vec(), (0..count).map(number).collect())
}

fn tensor<const D: usize>((shape, values): &Input) -> Tensor<D> {
    #[expect(clippy::cast_possible_truncation, reason = "tensors are single precision")]
    let values: Vec<f32> = values.iter().map(|x| *x as f32).collect();
    let sizes: [usize; D] = shape.clone().try_into().expect("the number of dimensions");
    Tensor::from_data(TensorData::new(values, sizes), &here()).require_grad()
}

fn numbers<const D: usize>(x: Tensor<D>) -> Vec<f64> {
    x.into_data().try_to_vec::<f32>().expect("single precision").into_iter().map(f64::from).collect()
}

/// How far two vectors lie apart, as a share of the second one's length.
fn apart(one: &[f64], other: &[f64]) -> f64 {
    assert_eq!(one.len(), other.len());
    let length = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
    length(&mut one.iter().zip(other).map(|(x, y)| x - y)) / length(&mut other.iter().copied()).max(1e-12)
}

/// What comes out, with the gradients of `out * weights` in the order of the inputs.
type Found = (Vec<f64>, Vec<Vec<f64>>);

/// The weights that make a number of what comes out.
fn weights(count: usize) -> Vec<f64> {
    random_input(99, &[count]).1
}

/// Runs an operation on tensors and collects what [`Found`] says.
macro_rules! found {
    ($inputs:expr, [$($input:ident: $rank:literal),*], $out:expr) => {{
        let mut all = $inputs.iter();
        $(let $input: Tensor<$rank> = tensor(all.next().expect("an input"));)*
        let out = { $(let $input = $input.clone();)* $out };
        let shape = out.dims();
        let factor = Tensor::from_data(
            TensorData::new(weights(shape.iter().product()), shape).convert::<f32>(), &here());
        let gradients = (out.clone() * factor).sum().backward();
        (numbers(out), vec![$(numbers($input.grad(&gradients).expect("a gradient"))),*])
    }};
}

/// Holds an operation against its definition, and burn's operations, too.
fn hold(inputs: &[Input], definition: impl Fn(&[Vec<f64>]) -> Vec<f64>, run: impl Fn(&[Input]) -> Found) {
    let values: Vec<Vec<f64>> = inputs.iter().map(|input| input.1.clone()).collect();
    let out = definition(&values);
    let weights = weights(out.len());
    let total = |values: &[Vec<f64>]| -> f64 { definition(values).iter().zip(&weights).map(|(x, y)| x * y).sum() };
    let gradient = |input: usize| -> Vec<f64> {
        (0..values[input].len())
            .map(|place| {
                let moved = |by: f64| {
                    let mut values = values.clone();
                    values[input][place] += by;
                    total(&values)
                };
                (moved(1e-4) - moved(-1e-4)) / 2e-4
            })
            .collect()
    };
    let gradients: Vec<Vec<f64>> = (0..inputs.len()).map(gradient).collect();
    everywhere(|| {
        for operations in [Operations::Own, Operations::Framework] {
            let (found, found_gradients) = with(operations, || run(inputs));
            assert!(
                apart(&found, &out) < 1e-5 * slack(),
                "{operations}: what comes out is {} off",
                apart(&found, &out)
            );
            for (input, (found, gradient)) in found_gradients.iter().zip(&gradients).enumerate() {
                let apart = apart(found, gradient);
                assert!(apart < 2e-5 * slack(), "{operations}: the gradient of input {input} is {apart} off");
            }
        }
    });
}

#[test]
fn linear_maps() {
    for (rows, inputs, outputs) in [(1, 3, 2), (70, 5, 33)] {
        let all = [random_input(1, &[rows, inputs]), random_input(2, &[inputs, outputs]), random_input(3, &[outputs])];
        let definition = |values: &[Vec<f64>]| {
            let sum = |row: usize, column: usize| -> f64 {
                (0..inputs).map(|at| values[0][row * inputs + at] * values[1][at * outputs + column]).sum()
            };
            (0..rows * outputs).map(|at| sum(at / outputs, at % outputs) + values[2][at % outputs]).collect()
        };
        hold(&all, definition, |all| found!(all, [x: 2, weight: 2, bias: 1], linear(x, weight, Some(bias))));
    }
}

/// Some columns, all of them, without a bias.
#[test]
fn low_rank_updates_of_columns() {
    for (rows, inputs, outputs, rank, ranges) in
        [(3, 4, 9, 2, vec![0..4, 6..9]), (70, 5, 6, 3, vec![Range { start: 0, end: 6 }])]
    {
        let (count, columns): (usize, usize) = (ranges.len(), ranges.iter().map(Range::len).sum());
        let definition = |values: &[Vec<f64>]| {
            let low = |row: usize, place: usize| -> f64 {
                (0..inputs).map(|at| values[0][row * inputs + at] * values[2][at * count * rank + place]).sum()
            };
            let number = |row: usize, column: usize| -> f64 {
                let affine: f64 =
                    (0..inputs).map(|at| values[0][row * inputs + at] * values[1][at * outputs + column]).sum();
                let mut from = 0;
                let mut update = 0.0;
                for (number, range) in ranges.iter().enumerate() {
                    if range.contains(&column) {
                        let of_b = |at: usize| values[3][at * columns + from + column - range.start];
                        update = (0..rank).map(|at| low(row, number * rank + at) * of_b(at)).sum();
                    }
                    from += range.len();
                }
                affine + 0.5 * update + values.get(4).map_or(0.0, |bias| bias[column])
            };
            (0..rows * outputs).map(|at| number(at / outputs, at % outputs)).collect()
        };
        let all = [
            random_input(1, &[rows, inputs]),
            random_input(2, &[inputs, outputs]),
            random_input(3, &[inputs, count * rank]),
            random_input(4, &[rank, columns]),
            random_input(5, &[outputs]),
        ];
        let low_rank = |a, b| LowRank { a, b, ranges: ranges.clone().into(), scale: 0.5, dropout: None };
        hold(
            &all,
            definition,
            |all| found!(all, [x: 2, weight: 2, a: 2, b: 2, bias: 1], adapted_linear(x, weight, Some(bias), low_rank(a, b))),
        );
        hold(
            &all[..4],
            definition,
            |all| found!(all, [x: 2, weight: 2, a: 2, b: 2], adapted_linear(x, weight, None, low_rank(a, b))),
        );
    }
}

/// What is dropped before adapters is what dropout drops, over more rows than are copied at a time; the map itself sees all.
#[test]
fn adapters_drop_what_dropout_drops() {
    let all =
        [random_input(1, &[1100, 6]), random_input(2, &[6, 5]), random_input(3, &[6, 2]), random_input(4, &[2, 3])];
    let ranges: Arc<[Range<usize>]> = vec![Range { start: 1, end: 4 }].into();
    let drop = Dropout { rate: 0.3, key: 7 };
    let run = |operations| {
        with(operations, || -> Found {
            found!(all, [x: 2, weight: 2, a: 2, b: 2], {
                let ranges = Arc::clone(&ranges);
                adapted_linear(x, weight, None, LowRank { a, b, ranges, scale: 2.0, dropout: Some(drop) })
            })
        })
    };
    everywhere(|| {
        let ((out, gradients), framework) = (run(Operations::Own), run(Operations::Framework));
        assert!(apart(&out, &framework.0) < 1e-5 * slack());
        for (input, (one, other)) in gradients.iter().zip(&framework.1).enumerate() {
            assert!(apart(one, other) < 1e-5 * slack(), "the gradient of input {input} is {} off", apart(one, other));
        }
    });
}

fn normed(x: &[f64], gain: &[f64], bias: Option<&[f64]>) -> Vec<f64> {
    let count = x.len() as f64;
    let mean = if bias.is_some() { x.iter().sum::<f64>() / count } else { 0.0 };
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
    let at = |(place, x): (usize, &f64)| {
        (x - mean) / (variance + 1e-5).sqrt() * gain[place] + bias.map_or(0.0, |bias| bias[place])
    };
    x.iter().enumerate().map(at).collect()
}

#[test]
fn norms() {
    for (rows, width) in [(1, 3), (67, 37)] {
        let all = [random_input(1, &[rows, width]), random_input(2, &[width]), random_input(3, &[width])];
        let layer = |values: &[Vec<f64>]| {
            values[0].chunks(width).flat_map(|row| normed(row, &values[1], Some(&values[2]))).collect()
        };
        hold(&all, layer, |all| found!(all, [x: 2, gain: 1, bias: 1], norm(x, gain, Some(bias), 1e-5)));
        let root =
            |values: &[Vec<f64>]| values[0].chunks(width).flat_map(|row| normed(row, &values[1], None)).collect();
        hold(&all[..2], root, |all| found!(all, [x: 2, gain: 1], norm(x, gain, None, 1e-5)));
    }
}

#[test]
fn activations() {
    let all = [random_input(1, &[3, 70])];
    let definition = |values: &[Vec<f64>]| values[0].iter().map(|x| gelu_of(*x)).collect();
    hold(&all, definition, |all| found!(all, [x: 2], gelu(x)));
    let definition = |values: &[Vec<f64>]| {
        let of_row = |row: &[f64]| -> Vec<f64> {
            row[..35].iter().zip(&row[35..]).map(|(gate, up)| gate / (1.0 + (-gate).exp()) * up).collect()
        };
        values[0].chunks(70).flat_map(of_row).collect()
    };
    hold(&all, definition, |all| found!(all, [x: 2], swiglu(x)));
    let definition = |values: &[Vec<f64>]| values[0].iter().map(|x| x.max(0.0)).collect();
    hold(&all, definition, |all| found!(all, [x: 2], relu(x)));
    let definition = |values: &[Vec<f64>]| {
        let of_row = |row: &[f64]| -> Vec<f64> {
            row[..35].iter().zip(&row[35..]).map(|(gate, up)| gelu_of(*gate) * up).collect()
        };
        values[0].chunks(70).flat_map(of_row).collect()
    };
    hold(&all, definition, |all| found!(all, [x: 2], geglu(x)));
}

fn gelu_of(x: f64) -> f64 {
    0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3))).tanh())
}

/// Attention by its definition: `number` gives a query's, a key's and a value's of a row, head, time and place, `bias` what is added to
/// the score of a head, query and key, and `kept` what the probability of a row, head, query and key is multiplied by.
fn attended(
    heads: Heads,
    (rows, time, keys): (usize, usize, usize),
    visible: impl Fn(usize, usize, usize) -> bool,
    number: impl Fn(&str, usize, usize, usize, usize) -> f64,
    bias: impl Fn(usize, usize, usize) -> f64,
    kept: impl Fn(usize, usize, usize, usize) -> f64,
) -> Vec<f64> {
    let scale = if heads.scaled { 1.0 / (heads.head_dim as f64).sqrt() } else { 1.0 };
    let mut out = Vec::new();
    for row in 0..rows {
        for query in 0..time {
            for head in 0..heads.num_heads {
                let key_head = head / (heads.num_heads / heads.num_kv_heads);
                let powers: Vec<f64> = (0..keys)
                    .map(|key| {
                        let product: f64 = (0..heads.head_dim)
                            .map(|at| number("query", row, head, query, at) * number("key", row, key_head, key, at))
                            .sum();
                        if visible(row, query, key) { (product * scale + bias(head, query, key)).exp() } else { 0.0 }
                    })
                    .collect();
                let sum: f64 = powers.iter().sum();
                out.extend((0..heads.head_dim).map(|at| {
                    let probability = |key: usize| powers[key] / sum * kept(row, head, query, key);
                    let weighted = (0..keys).map(|key| probability(key) * number("value", row, key_head, key, at));
                    weighted.sum::<f64>()
                }));
            }
        }
    }
    out
}

/// Causal, with a sliding window, within documents; with key-value heads that are shared; over more than one block of queries.
#[test]
fn attention_within_a_sequence() {
    for (rows, time, queries, keys, width) in [(2, 5, 4, 2, 3), (1, 70, 2, 1, 2)] {
        let heads = Heads { num_heads: queries, num_kv_heads: keys, head_dim: width, scaled: true };
        let columns = (queries + 2 * keys) * width;
        let starts: Vec<i32> = (0..rows * time).map(|at| if at % time >= 3 { 3 } else { 0 }).collect();
        let window = 2 + time / 2;
        let masks = [
            AttentionMask::causal(),
            AttentionMask::Causal { window: Some(window), starts: None, past: None },
            AttentionMask::Causal { window: None, starts: Some(starts.into()), past: None },
            AttentionMask::Full { lengths: None },
        ];
        for (number, mask) in masks.iter().enumerate() {
            let visible = |_: usize, query: usize, key: usize| match number {
                0 => key <= query,
                1 => key <= query && query - key < window,
                2 => key <= query && (key >= 3) == (query >= 3),
                _ => true,
            };
            let definition = |values: &[Vec<f64>]| {
                attended(
                    heads,
                    (rows, time, time),
                    visible,
                    packed(&values[0], heads, time),
                    |_, _, _| 0.0,
                    |_, _, _, _| 1.0,
                )
            };
            let all = [random_input(1, &[rows, time, columns])];
            hold(&all, definition, |all| found!(all, [x: 3], attention(x, heads, mask)));
        }
    }
}

/// The numbers of queries, keys and values that lie side by side.
fn packed(x: &[f64], heads: Heads, time: usize) -> impl Fn(&str, usize, usize, usize, usize) -> f64 {
    let Heads { num_heads, num_kv_heads, head_dim, .. } = heads;
    let columns = (num_heads + 2 * num_kv_heads) * head_dim;
    move |part, row, head, at, place| {
        let head = match part {
            "query" => head,
            "key" => num_heads + head,
            _ => num_heads + num_kv_heads + head,
        };
        x[(row * time + at) * columns + head * head_dim + place]
    }
}

/// What numbers of a shape are multiplied by in dropout.
fn kept(dropped: Option<Dropout>, [rows, heads, time, keys]: [usize; 4]) -> impl Fn(usize, usize, usize, usize) -> f64 {
    let factors =
        dropped.map(|dropped| numbers(dropout(Tensor::<4>::ones([rows, heads, time, keys], &here()), dropped)));
    move |row, head, query, key| {
        factors.as_ref().map_or(1.0, |factors| factors[((row * heads + head) * time + query) * keys + key])
    }
}

const DROPOUTS: [Option<Dropout>; 2] = [None, Some(Dropout { rate: 0.3, key: 7 })];

/// A bias by distance, with its gradient: both ways with padding, causal within documents, over more than one block of queries; with some
/// probabilities dropped.
#[test]
fn attention_with_a_bias() {
    for (rows, time, queries, keys, width, scaled) in [(2, 5, 4, 2, 3, false), (1, 70, 2, 1, 2, true)] {
        let heads = Heads { num_heads: queries, num_kv_heads: keys, head_dim: width, scaled };
        let starts: Vec<i32> = (0..rows * time).map(|at| if at % time >= 3 { 3 } else { 0 }).collect();
        let lengths: Vec<usize> = (0..rows).map(|row| time - row).collect();
        let masks = [
            AttentionMask::Causal { window: None, starts: Some(starts.into()), past: None },
            AttentionMask::Full { lengths: Some(lengths.into()) },
        ];
        for mask in &masks {
            let is_causal = matches!(mask, AttentionMask::Causal { .. });
            let visible = |row: usize, query: usize, key: usize| {
                if is_causal { key <= query && (key >= 3) == (query >= 3) } else { key < time - row }
            };
            // a causal mask needs no distances ahead
            let distances = if is_causal { time } else { 2 * time - 1 };
            for dropout in DROPOUTS {
                let kept = kept(dropout, [rows, queries, time, time]);
                let definition = |values: &[Vec<f64>]| {
                    let bias = |head: usize, query: usize, key: usize| {
                        if is_causal && key > query {
                            0.0
                        } else {
                            values[1][head * distances + time - 1 + key - query]
                        }
                    };
                    attended(heads, (rows, time, time), visible, packed(&values[0], heads, time), bias, &kept)
                };
                let all = [
                    random_input(1, &[rows, time, (queries + 2 * keys) * width]),
                    random_input(2, &[queries, distances]),
                ];
                hold(&all, definition, |all| {
                    found!(all, [x: 3, bias: 2], {
                        biased_attention(x, &DistanceBias { by_distance: bias, zero: time - 1 }, heads, mask, dropout)
                    })
                });
            }
        }
    }
}

#[test]
fn attention_to_another_sequence() {
    let (rows, time, others) = (2, 3, 5);
    let heads = Heads { num_heads: 2, num_kv_heads: 1, head_dim: 3, scaled: true };
    for (lengths, dropout) in
        [None, Some([5, 2])].into_iter().flat_map(|lengths| DROPOUTS.map(|dropout| (lengths, dropout)))
    {
        let mask = AttentionMask::Full { lengths: lengths.map(|lengths| Arc::from(lengths.to_vec())) };
        let visible = |row: usize, _: usize, key: usize| lengths.is_none_or(|lengths| key < lengths[row]);
        let kept = kept(dropout, [rows, 2, time, others]);
        let definition = |values: &[Vec<f64>]| {
            let number = |part: &str, row: usize, head: usize, at: usize, place: usize| match part {
                "query" => values[0][(row * time + at) * 6 + head * 3 + place],
                "key" => values[1][(row * others + at) * 6 + place],
                _ => values[1][(row * others + at) * 6 + 3 + place],
            };
            attended(heads, (rows, time, others), visible, number, |_, _, _| 0.0, &kept)
        };
        let all = [random_input(1, &[rows, time, 6]), random_input(2, &[rows, others, 6])];
        hold(&all, definition, |all| found!(all, [x: 3, other: 3], cross_attention(x, other, heads, &mask, dropout)));
    }
}

#[test]
fn rotary_positions() {
    let (heads, width, columns) = (2usize, 4usize, 11usize);
    let positions = [0usize, 5, 3, 1, 2, 5];
    let angles = Arc::new(Angles::new(6, width, 100.0, None));
    let definition = |values: &[Vec<f64>]| {
        let mut out = values[0].clone();
        for (row, position) in positions.iter().enumerate() {
            for head in 0..heads {
                for pair in 0..width / 2 {
                    let angle = *position as f64 * 100f64.powf(-2.0 * pair as f64 / width as f64);
                    let at = row * columns + head * width + pair;
                    let (x, y) = (values[0][at], values[0][at + width / 2]);
                    out[at] = x * angle.cos() - y * angle.sin();
                    out[at + width / 2] = y * angle.cos() + x * angle.sin();
                }
            }
        }
        out
    };
    let all = [random_input(1, &[2, 3, columns])];
    hold(&all, definition, |all| found!(all, [x: 3], rotary(x, &angles, &positions, heads)));
}

#[test]
fn rows_of_a_table() {
    let ids = [3, 0, 3, 3, 6, 1];
    let definition = |values: &[Vec<f64>]| {
        ids.iter().flat_map(|id| values[0][usize::try_from(*id).expect("an id") * 5..][..5].to_vec()).collect()
    };
    hold(&[random_input(1, &[7, 5])], definition, |all| found!(all, [table: 2], embedding(table, &ids, 2)));
}

#[test]
fn the_head() {
    let definition = |values: &[Vec<f64>]| {
        let rows = values[0].chunks(3);
        let logit = |row: &[f64], token: &[f64]| -> f64 { row.iter().zip(token).map(|(x, y)| x * y).sum() };
        rows.flat_map(|row| values[1].chunks(3).map(|token| logit(row, token)).collect::<Vec<_>>()).collect()
    };
    let all = [random_input(1, &[4, 3]), random_input(2, &[7, 3])];
    hold(&all, definition, |all| found!(all, [x: 2, weight: 2], head(x, weight)));
}

#[test]
fn the_head_with_its_loss() {
    let (rows, width, vocabulary) = (40, 3, 35);
    let targets: Vec<i32> = (0..40).map(|row| row * 7 % 35).collect();
    let of_row: Vec<f32> = (0..40u8).map(|row| f32::from(row % 3) / 4.0).collect();
    let definition = |values: &[Vec<f64>]| {
        let loss = |row: usize| {
            let logit = |token: usize| -> f64 {
                (0..width).map(|at| values[0][row * width + at] * values[1][token * width + at]).sum()
            };
            let sum: f64 = (0..vocabulary).map(|token| logit(token).exp()).sum();
            sum.ln() - logit(usize::try_from(targets[row]).expect("an id"))
        };
        (0..rows).map(loss).collect::<Vec<f64>>()
    };
    let all = [random_input(1, &[rows, width]), random_input(2, &[vocabulary, width])];
    let weighted =
        |values: &[Vec<f64>]| vec![definition(values).iter().zip(&of_row).map(|(x, y)| x * f64::from(*y)).sum()];
    hold(&all, weighted, |all| found!(all, [x: 2, weight: 2], head_loss(x, weight, &targets, &of_row)));
    hold(&all, definition, |all| found!(all, [x: 2, weight: 2], head_losses(x, weight, &targets)));
}

#[test]
fn dropout_has_one_mask_for_both_ways() {
    let all = [random_input(1, &[30, 40])];
    let drop = Dropout { rate: 0.3, key: 7 };
    let run = |operations| with(operations, || -> Found { found!(all, [x: 2], dropout(x, drop)) });
    everywhere(|| {
        let ((out, gradients), framework) = (run(Operations::Own), run(Operations::Framework));
        assert_eq!((&out, &gradients), (&framework.0, &framework.1));
        let weights = weights(1200);
        for (((x, y), gradient), weight) in all[0].1.iter().zip(&out).zip(&gradients[0]).zip(&weights) {
            let (expected, slope) = if *y == 0.0 { (0.0, 0.0) } else { (x / 0.7, weight / 0.7) };
            assert!((y - expected).abs() < 1e-5 && (gradient - slope).abs() < 1e-5);
        }
    });
}

#[test]
fn steps_of_the_optimizer() {
    let plain = |seed| {
        let (shape, values) = random_input(seed, &[50]);
        let tensor: Tensor<1> = tensor(&(shape, values.clone()));
        (tensor.inner(), values)
    };
    everywhere(|| {
        for operations in [Operations::Own, Operations::Framework] {
            let ((parameter, x), (first, m), (second, v), (gradient, g)) = (plain(1), plain(2), plain(3), plain(4));
            let second = second.abs();
            let step = AdamWStep {
                learning_rate: 0.01,
                beta1: 0.9,
                beta2: 0.95,
                epsilon: 1e-8,
                weight_decay: 0.1,
                bias_correction1: 0.271,
                bias_correction2: 0.142_625,
                gradient_scale: 0.5,
            };
            let found = with(operations, || update(parameter, first, second, gradient, step));
            let expected: Vec<[f64; 3]> = (0..50)
                .map(|at| {
                    let g = 0.5 * g[at];
                    let (m, v) = (0.9 * m[at] + 0.1 * g, 0.95 * v[at].abs() + 0.05 * g * g);
                    let towards = (m / 0.271) / ((v / 0.142_625).sqrt() + 1e-8);
                    [x[at] - 0.01 * (towards + 0.1 * x[at]), m, v]
                })
                .collect();
            for (part, found) in [found.0, found.1, found.2].into_iter().enumerate() {
                let expected: Vec<f64> = expected.iter().map(|all| all[part]).collect();
                assert!(apart(&numbers(found), &expected) < 1e-6, "{operations}: part {part}");
            }
        }
    });
}

//! How fast approximate search is, beside exact search, and how much of what exact search finds it finds.
//!
//! ```text
//! cargo bench --workspace --profile dev --bench neighbours -- VECTORS.f32 QUERIES.f32 WIDTH [DEGREE EF]
//! ```
//!
//! Files are of single-precision numbers, as `benches/peers/search_hnswlib.py` writes them, and times hnswlib and usearch on them. Prints seconds of
//! building, edges a point, and for some numbers of points that a walk holds recall@10 and queries a second, on all threads: those whose candidates
//! are compared once more by their vectors, as `train search` does.

#![expect(clippy::print_stdout, reason = "a benchmark's figures are its output")]

use std::{convert::Infallible, error::Error, fs, time::Instant};

use kernels::{
    graph::{Frame, Graph, GraphConfig, Points, WalkMemory},
    similarity::{dots, dots_of},
};
use rayon::prelude::*;

const K: usize = 10;
const TURNS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let [vectors, queries, width, rest @ ..] = &arguments[..] else {
        return Err("give VECTORS, QUERIES and WIDTH".into());
    };
    let config = match rest {
        [degree, ef] => GraphConfig { degree: degree.parse()?, ef: ef.parse()? },
        _ => GraphConfig::default(),
    };
    let (vectors, queries, width) = (numbers(vectors)?, numbers(queries)?, width.parse::<usize>()?);
    let rows = vectors.len() / width;

    let begun = Instant::now();
    let frame = Frame::of(width, |give| -> Result<(), Infallible> {
        give(&vectors);
        Ok(())
    });
    let mut points = Points::new(frame?);
    points.add(&vectors);
    let mut graph = Graph::new(config);
    graph.join(&points, |_| {});
    let edges: usize = (0..rows).map(|point| graph.neighbours(point).len()).sum();
    let (seconds, mean) = (begun.elapsed().as_secs_f64(), edges as f64 / rows as f64);
    println!("{rows} vectors of {width} numbers: built in {seconds:.1} s, {mean:.1} edges a point");

    let begun = Instant::now();
    let truth: Vec<Vec<u32>> = queries
        .chunks(64 * width)
        .flat_map(|queries| {
            let mut scores = vec![0.0; queries.len() / width * rows];
            dots(&vectors, width, queries, &mut scores);
            scores.par_chunks(rows).map(|scores| best(scores.iter().copied().zip(0..))).collect::<Vec<_>>()
        })
        .collect();
    println!("exact search: {:.1} queries/s", truth.len() as f64 / begun.elapsed().as_secs_f64());

    for ef in [10, 16, 24, 32, 48, 64, 96, 128, 192, 256] {
        let mut found = Vec::new();
        let mut seconds: Vec<f64> = (0..TURNS)
            .map(|_| {
                let begun = Instant::now();
                found = queries
                    .par_chunks(width)
                    .map_init(WalkMemory::default, |memory, query| {
                        let near = graph.walk(&points, &points.query(query), ef, memory);
                        let near: Vec<u32> = near.iter().map(|near| near.point).collect();
                        let mut scores = vec![0.0; near.len()];
                        dots_of(&vectors, query, &near, &mut scores);
                        best(scores.into_iter().zip(near))
                    })
                    .collect();
                begun.elapsed().as_secs_f64()
            })
            .collect();
        seconds.sort_by(f64::total_cmp);
        let common =
            |(found, truth): (&Vec<u32>, &Vec<u32>)| truth.iter().filter(|point| found.contains(point)).count();
        let recall = found.iter().zip(&truth).map(common).sum::<usize>() as f64 / (K * truth.len()) as f64;
        println!("ef {ef:>4}: recall@10 {recall:.4}, {:>8.0} queries/s", truth.len() as f64 / seconds[TURNS / 2]);
    }
    Ok(())
}

/// The points with the highest scores.
fn best(scores: impl Iterator<Item = (f32, u32)>) -> Vec<u32> {
    let mut scores: Vec<(f32, u32)> = scores.collect();
    let order = |one: &(f32, u32), other: &(f32, u32)| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1));
    if scores.len() > K {
        scores.select_nth_unstable_by(K, order);
        scores.truncate(K);
    }
    scores.sort_unstable_by(order);
    scores.into_iter().map(|(_, point)| point).collect()
}

fn numbers(path: &str) -> Result<Vec<f32>, Box<dyn Error>> {
    let bytes = fs::read(path)?;
    Ok(bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

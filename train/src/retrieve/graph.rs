//! Search by a graph of near vectors.
//!
//! A walk through the graph gives candidates, whose vectors are compared with the question's, as those of all passages that are no points of
//! it. Of passages that may not be found, and of points whose passages are gone, walks find some, too: they hold as many more. Where that is so many
//! that comparing all is no more work, all are compared.

use std::collections::HashMap;

use kernels::{
    graph::{Graph, Points, WalkMemory},
    similarity::dots_of,
};
use rayon::prelude::*;

use super::{
    best::Hit,
    graph_file::{StoredGraph, key},
    segment::Segment,
};

/// Points that a walk holds, unless something else is said, at least.
pub(super) const USUAL_EF: usize = 64;

/// Points that a walk holds for `k` passages, unless something else is said.
pub(super) fn usual_ef(k: usize) -> usize {
    USUAL_EF.max(k.saturating_mul(2))
}

/// Points for each that a walk may hold: of fewer, all are compared.
const WORTH: usize = 16;

/// How the passages are found whose vectors are nearest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NearestBy {
    /// All are compared.
    All,
    /// Those that a walk through the graph finds, if the index has one.
    Graph {
        /// Points that it holds; the more the surer. By default 64, or twice as many as are wanted.
        ef: Option<usize>,
    },
}

/// A graph, and where the passages of its points are.
#[derive(Debug)]
pub(super) struct SearchGraph {
    graph: Graph,
    points: Points,
    /// The part and the passage of each point; none where it is there no more.
    places: Vec<Option<(u32, u32)>>,
    /// Passages that are no points, by part.
    fresh: Vec<Vec<u32>>,
}

/// What a search through a graph uses over and over.
#[derive(Debug, Default)]
pub(super) struct GraphMemory {
    walk: WalkMemory,
    rows: Vec<Vec<u32>>,
    scores: Vec<f32>,
}

/// Which points may be found.
#[derive(Debug)]
pub(super) struct Allowed {
    /// Of each point; none where all may.
    points: Option<Vec<bool>>,
    /// How many.
    count: usize,
}

impl SearchGraph {
    /// Finds the passages of a graph's points.
    pub fn new(StoredGraph { graph, points, keys, .. }: StoredGraph, segments: &[Segment]) -> Self {
        let width = points.width();
        let numbers: HashMap<u128, u32> = keys.into_iter().zip(0..).collect();
        let mut places = vec![None; points.count()];
        let mut fresh = vec![Vec::new(); segments.len()];
        for ((part, segment), fresh) in (0..).zip(segments).zip(&mut fresh) {
            let each = segment.ids().par_iter().zip(segment.vectors().par_chunks(width));
            let found: Vec<Option<u32>> = each.map(|(id, vector)| numbers.get(&key(id, vector)).copied()).collect();
            for (passage, point) in (0..).zip(found) {
                match point {
                    Some(point) => places[point as usize] = Some((part, passage)),
                    None => fresh.push(passage),
                }
            }
        }
        Self { graph, points, places, fresh }
    }

    /// The points that may be found.
    pub fn allowed(&self, is_none: bool, is_allowed: impl Fn(usize, u32) -> bool + Sync) -> Allowed {
        if is_none && self.places.iter().all(Option::is_some) {
            return Allowed { points: None, count: self.places.len() };
        }
        let is_there =
            |place: &Option<(u32, u32)>| place.is_some_and(|(part, passage)| is_allowed(part as usize, passage));
        let points: Vec<bool> = self.places.par_iter().map(is_there).collect();
        let count = points.iter().filter(|is_allowed| **is_allowed).count();
        Allowed { points: Some(points), count }
    }

    /// The nearest passages of a question, and no others of equal score.
    ///
    /// - `query`: `[width]`
    /// - `k`: passages, at most
    /// - `ef`: points that a walk holds
    /// - `is_allowed`: whether a passage that is no point may be found
    /// - returns: none where all have to be compared
    pub fn nearest(
        &self,
        segments: &[Segment],
        query: &[f32],
        (k, ef): (usize, Option<usize>),
        (allowed, is_allowed): (&Allowed, impl Fn(usize, u32) -> bool),
        memory: &mut GraphMemory,
    ) -> Option<Vec<Hit>> {
        let ef = ef.unwrap_or_else(|| usual_ef(k)).max(k).min(self.places.len());
        // as many more as are passed over
        let ef = ef.saturating_mul(self.places.len()).checked_div(allowed.count);
        let ef = ef.filter(|ef| ef.saturating_mul(WORTH) <= self.places.len())?;
        let GraphMemory { walk, rows, scores } = memory;
        rows.resize(segments.len(), Vec::new());
        let mut found = 0;
        for near in self.graph.walk(&self.points, &self.points.query(query), ef, walk) {
            let point = near.point as usize;
            if allowed.points.as_ref().is_none_or(|points| points[point])
                && let Some((part, passage)) = self.places[point]
            {
                rows[part as usize].push(passage);
                found += 1;
            }
        }
        let mut hits = Vec::with_capacity(found);
        for (part, segment) in segments.iter().enumerate() {
            let fresh = self.fresh[part].iter().copied().filter(|passage| is_allowed(part, *passage));
            rows[part].extend(fresh);
            scores.resize(rows[part].len(), 0.0);
            dots_of(segment.vectors(), query, &rows[part], scores);
            let own = rows[part].drain(..).zip(&*scores);
            hits.extend(own.map(|(passage, score)| Hit { part, passage, score: *score }));
        }
        (found >= k.min(allowed.count)).then_some(hits)
    }
}

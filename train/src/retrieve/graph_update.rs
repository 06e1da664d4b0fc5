//! The graph of an index keeps up with its segments.
//!
//! ```text
//! no graph, one of half as many passages when it was made,
//! or a fifth of its points lead to no passage               -> one of all passages
//! more than a twentieth of passages are no points           -> these join
//! else                                                      -> it stays: a search compares all that are no points
//! ```
//!
//! Cost: a byte a number and 4 bytes an edge of all passages, and the vectors of one segment, in memory.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

use kernels::{
    graph::{Frame, Graph, GraphConfig, Points, WalkMemory},
    similarity::dots,
};
use rayon::prelude::*;

use super::{
    best::{Hit, best, best_of_parts},
    folders::segment_folder,
    graph::USUAL_EF,
    graph_file::{GraphEntry, StoredGraph, key},
    manifest::SegmentEntry,
    segment,
};
use crate::error::Result;

/// Points, of which one may be new passages' that are not among them.
const FRESH: usize = 20;

/// Points, of which one may be of a passage that is there no more.
const DEAD: usize = 5;

/// How many times as many passages as it was made of a graph may have: the mean that is taken off is theirs.
const GROWN: usize = 2;

/// Passages by which recall is measured, and so many of the nearest.
const ASKED: usize = 256;
const NEAREST: usize = 10;

/// Points that join between two lines that say how far it is.
const TOLD: usize = 100_000;

/// Segments whose vectors become points.
pub(super) struct GraphUpdate<'a> {
    /// The folder of the index.
    pub index: &'a Path,
    /// The version that the graph comes with.
    pub version: u64,
    pub segments: &'a [SegmentEntry],
    /// Numbers of a vector.
    pub width: usize,
}

/// What stays of a graph.
enum Kept {
    /// All of it: nothing is to be done.
    All(GraphEntry),
    /// Its points, which others join.
    Points(Box<StoredGraph>),
    Nothing,
}

impl GraphUpdate<'_> {
    /// The graph that an index has from now on.
    ///
    /// - `before`: the one that it has
    /// - `note`: is told how far it is
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn run(
        &self,
        before: Option<&GraphEntry>,
        config: GraphConfig,
        note: &mut dyn FnMut(&str),
    ) -> Result<GraphEntry> {
        let kept = match before.map_or(Ok(Kept::Nothing), |before| self.kept(before)) {
            Ok(kept) => kept,
            // what it was made of is there: nothing but time is lost
            Err(error) => {
                note(&format!("{error}: the graph of vectors is made anew"));
                Kept::Nothing
            }
        };
        match kept {
            Kept::All(entry) => Ok(entry),
            Kept::Points(stored) => self.made(*stored, note),
            Kept::Nothing => self.made(self.empty(config)?, note),
        }
    }

    /// What stays of the graph that an index has.
    fn kept(&self, before: &GraphEntry) -> Result<Kept> {
        StoredGraph::verify_sizes(self.index, before)?;
        let passages: usize = self.segments.iter().map(|entry| entry.passages).sum();
        if passages > GROWN * before.made_of {
            return Ok(Kept::Nothing);
        }
        let (known, others): (Vec<&SegmentEntry>, Vec<&SegmentEntry>) =
            self.segments.iter().partition(|entry| before.segments.contains(&entry.name));
        let covered: usize = known.iter().map(|entry| entry.passages).sum();
        let uncovered: usize = others.iter().map(|entry| entry.passages).sum();
        let is_fine = |fresh: usize, dead: usize| fresh * FRESH <= before.points && dead * DEAD <= before.points;
        if is_fine(uncovered, before.points.saturating_sub(covered)) {
            return Ok(Kept::All(before.clone()));
        }
        let keys: HashSet<u128> = StoredGraph::read_keys(self.index, before)?.into_iter().collect();
        let mut covering: Vec<String> = known.iter().map(|entry| entry.name.clone()).collect();
        let (mut fresh, mut alive) = (0, covered);
        for entry in others {
            let own = self.keys(entry)?.0;
            let points = own.iter().filter(|key| keys.contains(key)).count();
            (fresh, alive) = (fresh + own.len() - points, alive + points);
            if points == own.len() {
                covering.push(entry.name.clone());
            }
        }
        let dead = before.points.saturating_sub(alive);
        if is_fine(fresh, dead) {
            return Ok(Kept::All(before.with_segments(covering)));
        }
        if dead * DEAD > before.points {
            return Ok(Kept::Nothing);
        }
        Ok(Kept::Points(Box::new(StoredGraph::read(self.index, before, self.width)?)))
    }

    /// A graph of no passages yet, for all that there are.
    fn empty(&self, config: GraphConfig) -> Result<StoredGraph> {
        let frame = Frame::of(self.width, |give| -> Result<()> {
            self.segments.iter().try_for_each(|entry| {
                give(&self.vectors(entry)?);
                Ok(())
            })
        });
        let made_of = self.segments.iter().map(|entry| entry.passages).sum();
        Ok(StoredGraph { graph: Graph::new(config), points: Points::new(frame?), keys: Vec::new(), made_of })
    }

    /// A graph of all passages.
    ///
    /// - `stored`: the one that those join which are not in it
    fn made(&self, mut stored: StoredGraph, note: &mut dyn FnMut(&str)) -> Result<GraphEntry> {
        let known: HashSet<u128> = stored.keys.iter().copied().collect();
        for entry in self.segments {
            let (keys, vectors) = self.keys(entry)?;
            for (key, vector) in keys.into_iter().zip(vectors.chunks(self.width)) {
                if !known.contains(&key) {
                    stored.keys.push(key);
                    stored.points.add(vector);
                }
            }
        }
        let (all, mut told) = (stored.points.count(), 0);
        stored.graph.join(&stored.points, |joined| {
            if joined / TOLD > told {
                told = joined / TOLD;
                note(&format!("{joined} of {all} passages are in the graph"));
            }
        });
        let recall = self.recall(&stored)?;
        stored.publish(self.index, self.version, self.segments.iter().map(|entry| entry.name.clone()).collect(), recall)
    }

    fn vectors(&self, entry: &SegmentEntry) -> Result<Vec<f32>> {
        segment::read_vectors(&segment_folder(self.index, &entry.name), entry.passages, self.width)
    }

    /// What the passages of a segment are known by as points, and their vectors.
    fn keys(&self, entry: &SegmentEntry) -> Result<(Vec<u128>, Vec<f32>)> {
        let ids = segment::read_ids(&segment_folder(self.index, &entry.name))?;
        let vectors = self.vectors(entry)?;
        let keys = ids.par_iter().zip(vectors.par_chunks(self.width)).map(|(id, vector)| key(id, vector)).collect();
        Ok((keys, vectors))
    }

    /// Of the passages that are nearest to some, the share that a search by the graph finds.
    fn recall(&self, stored: &StoredGraph) -> Result<Option<f64>> {
        // hashes are in no order: the first by them are as good as any others
        let mut asked: Vec<u128> = stored.keys.clone();
        if asked.len() > ASKED {
            asked.select_nth_unstable(ASKED);
            asked.truncate(ASKED);
        }
        asked.sort_unstable();
        let numbers: HashMap<u128, u32> = stored.keys.iter().copied().zip(0..).collect();
        let mut queries = Vec::new();
        for entry in self.segments {
            let (keys, vectors) = self.keys(entry)?;
            for (_, vector) in
                keys.iter().zip(vectors.chunks(self.width)).filter(|(key, _)| asked.binary_search(key).is_ok())
            {
                queries.extend_from_slice(vector);
            }
        }
        let walks = queries.par_chunks(self.width).map_init(WalkMemory::default, |memory, query| {
            let walk = stored.graph.walk(&stored.points, &stored.points.query(query), USUAL_EF, memory);
            walk.iter().map(|near| near.point).collect::<HashSet<u32>>()
        });
        let walks: Vec<HashSet<u32>> = walks.collect();
        // the nearest of all, and those of a walk, by segment
        let mut nearest: Vec<Vec<Hit>> = vec![Vec::new(); walks.len()];
        let mut found = nearest.clone();
        for (part, entry) in self.segments.iter().enumerate() {
            let (keys, vectors) = self.keys(entry)?;
            let points: Vec<u32> = keys.iter().map(|key| numbers.get(key).copied().unwrap_or(u32::MAX)).collect();
            let each = queries.par_chunks(self.width).zip(&walks).zip(&mut nearest).zip(&mut found);
            each.for_each(|(((query, walk), nearest), found)| {
                let mut scores = vec![0.0; points.len()];
                dots(&vectors, self.width, query, &mut scores);
                let give = |hits: &mut Vec<Hit>, is_allowed: &dyn Fn(u32) -> bool| {
                    best(&scores, NEAREST, f32::NEG_INFINITY, is_allowed, |passage, score| {
                        hits.push(Hit { part, passage, score });
                    });
                };
                give(nearest, &|_| true);
                give(found, &|passage| walk.contains(&points[passage as usize]));
            });
        }
        let place = |hit: &Hit| (hit.part, hit.passage);
        let (mut all, mut common) = (0, 0);
        for (nearest, found) in nearest.into_iter().zip(found) {
            let found: HashSet<_> = best_of_parts(found, NEAREST).iter().map(place).collect();
            let nearest: Vec<Hit> = best_of_parts(nearest, NEAREST).into_iter().take(NEAREST).collect();
            all += nearest.len();
            common += nearest.iter().filter(|hit| found.contains(&place(hit))).count();
        }
        Ok((all > 0).then(|| common as f64 / all as f64))
    }
}

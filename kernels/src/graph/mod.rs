//! A graph of near vectors: approximate search in many of them.
//!
//! ```text
//! vectors -> codes of a byte a number (points) -> each joins the graph: a search for it, of what was found those that lie in different
//!            directions, and edges back (join)
//! query   -> from an entry along edges, ever nearer, with the best `ef` held (walk) -> candidates, whose vectors are compared
//! ```
//!
//! Points join in groups: those of a group are searched for in the graph of all before them, side by side, and edges are added in the order of
//! points. So the graph depends on its vectors and on their order, and not on threads. Each point can be reached from an entry: where edges do not
//! lead to one, an edge is added, or it becomes an entry.
//!
//! Useful for: vectors by the million of which some of the nearest are wanted. Not useful for: all of the nearest; see [`super::similarity`].
//!
//! Source: Malkov and Yashunin 2016 (HNSW) for the choice of edges; Subramanya et al. 2019 (Vamana, the graph of `DiskANN`) for one layer, and Manohar et
//! al. 2024 (`ParlayANN`) for its groups; dot products of vectors
//! of any lengths become distances as in Bachrach et al. 2014.
//! Cost: a byte a number, and 4 bytes an edge, in memory.

#![expect(
    clippy::cast_possible_truncation,
    reason = "codes are bytes, and what is computed in double precision is kept in single"
)]

mod join;
mod points;
mod walk;

pub use points::{Frame, Points, Query};
pub use walk::{Near, WalkMemory};

/// What no point is called.
const NONE: u32 = u32::MAX;

/// How a graph is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GraphConfig {
    /// Edges of a point, at most.
    pub degree: usize,
    /// Points that are held in the search for a point that joins: its neighbours are among those that were passed.
    pub ef: usize,
}

/// Edges as many as those of HNSW with an `M` of 16 on its lowest layer.
impl Default for GraphConfig {
    fn default() -> Self {
        Self { degree: 32, ef: 96 }
    }
}

/// A graph of near points.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    config: GraphConfig,
    /// `[points, degree]`; what a point has fewer is [`NONE`].
    neighbours: Vec<u32>,
    /// Where searches begin: one in the middle, some others, and those that no edges lead to.
    entries: Vec<u32>,
}

impl Graph {
    /// One of no points.
    #[must_use]
    pub fn new(config: GraphConfig) -> Self {
        Self { config, neighbours: Vec::new(), entries: Vec::new() }
    }

    /// One whose edges are known.
    ///
    /// - `neighbours`: of each point
    /// - returns: none where an edge or an entry leads nowhere, a point has too many, or there is no entry to some
    #[must_use]
    pub fn from_edges<'n>(
        config: GraphConfig,
        neighbours: impl Iterator<Item = &'n [u32]>,
        entries: Vec<u32>,
    ) -> Option<Self> {
        let mut graph = Self { config, neighbours: Vec::new(), entries };
        for own in neighbours {
            let room = config.degree.checked_sub(own.len())?;
            graph.neighbours.extend_from_slice(own);
            graph.neighbours.extend(std::iter::repeat_n(NONE, room));
        }
        let count = graph.count();
        let is_there = |point: &u32| (*point as usize) < count;
        let edges_lead = (0..count).all(|point| graph.neighbours(point).iter().all(is_there));
        let entries_lead = graph.entries.iter().all(is_there) && graph.entries.is_empty() == (count == 0);
        (edges_lead && entries_lead).then_some(graph)
    }

    /// Points.
    #[must_use]
    pub fn count(&self) -> usize {
        self.neighbours.len() / self.config.degree
    }

    /// How it was made.
    #[must_use]
    pub fn config(&self) -> GraphConfig {
        self.config
    }

    /// Those that a point has edges to.
    #[must_use]
    pub fn neighbours(&self, point: usize) -> &[u32] {
        let own = &self.neighbours[point * self.config.degree..][..self.config.degree];
        &own[..own.iter().position(|neighbour| *neighbour == NONE).unwrap_or(own.len())]
    }

    /// Where searches begin.
    #[must_use]
    pub fn entries(&self) -> &[u32] {
        &self.entries
    }

    /// The points that no entry leads to: there are none.
    #[must_use]
    pub fn unreachable(&self) -> Vec<u32> {
        let reached = self.reached();
        (0..).zip(reached).filter(|(_, is_reached)| !is_reached).map(|(point, _)| point).collect()
    }

    /// Whether each point can be reached.
    fn reached(&self) -> Vec<bool> {
        let mut reached = vec![false; self.count()];
        for entry in &self.entries {
            self.reach(*entry, &mut reached);
        }
        reached
    }

    /// Marks what can be reached from a point, and was not yet.
    fn reach(&self, from: u32, reached: &mut [bool]) {
        let mut open = vec![from];
        while let Some(point) = open.pop() {
            if !std::mem::replace(&mut reached[point as usize], true) {
                open.extend(self.neighbours(point as usize).iter().filter(|next| !reached[**next as usize]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    /// Vectors around middles that are the same for every seed, of lengths between 0.5 and 1.5, and all far from the origin, as those of models are.
    fn clusters(count: usize, width: usize, seed: u32) -> Vec<f32> {
        let number = |place: u32| {
            f64::from(place.wrapping_mul(2_654_435_761).rotate_left(13).wrapping_mul(40_503) >> 8)
                / f64::from(1u32 << 24)
                - 0.5
        };
        let vector = |row: usize| -> Vec<f32> {
            let middle = 1000 * (row as u32 % 7);
            let at = |column: u32| number(middle + column) + 0.4 * number(seed + (row as u32 + 9) * 977 + column);
            let numbers: Vec<f64> = (0..width as u32).map(at).collect();
            let length =
                numbers.iter().map(|x| x * x).sum::<f64>().sqrt().max(1e-9) / (1.0 + number(seed + row as u32));
            let far = |column: usize| 0.3 * (column % 3) as f64;
            numbers.iter().enumerate().map(|(column, x)| (x / length + far(column)) as f32).collect()
        };
        (0..count).flat_map(vector).collect()
    }

    fn built(vectors: &[f32], width: usize, parts: usize) -> (Points, Graph) {
        let frame = Frame::of(width, |give| -> Result<(), Infallible> {
            give(vectors);
            Ok(())
        });
        let mut points = Points::new(frame.unwrap());
        let mut graph = Graph::new(GraphConfig { degree: 16, ef: 40 });
        for part in vectors.chunks((vectors.len() / width).div_ceil(parts).max(1) * width) {
            points.add(part);
            graph.join(&points, |_| {});
        }
        (points, graph)
    }

    #[test]
    fn what_is_nearest_is_found() {
        let (count, width) = (3000, 24);
        let vectors = clusters(count, width, 5);
        for parts in [1, 4] {
            let (points, graph) = built(&vectors, width, parts);
            let (mut found, mut memory) = (0, WalkMemory::default());
            let queries = clusters(200, width, 90_000);
            for query in queries.chunks(width) {
                let mut scores = vec![0.0; count];
                crate::similarity::dots(&vectors, width, query, &mut scores);
                let mut best: Vec<u32> = (0..count as u32).collect();
                best.sort_by(|one, other| scores[*other as usize].total_cmp(&scores[*one as usize]));
                let near: Vec<u32> =
                    graph.walk(&points, &points.query(query), 100, &mut memory).iter().map(|near| near.point).collect();
                found += best[..10].iter().filter(|point| near.contains(point)).count();
            }
            assert!(found >= 1900, "{found} of 2000 are found where points join in {parts} parts");
        }
    }

    #[test]
    fn edges_that_lead_nowhere_are_no_graph() {
        let config = GraphConfig { degree: 2, ..GraphConfig::default() };
        let graph =
            |edges: &[&[u32]], entries: &[u32]| Graph::from_edges(config, edges.iter().copied(), entries.to_vec());
        assert!(graph(&[&[1], &[0]], &[0]).is_some());
        assert!(graph(&[&[1], &[2]], &[0]).is_none(), "an edge");
        assert!(graph(&[&[1], &[0]], &[2]).is_none(), "an entry");
        assert!(graph(&[&[1], &[0]], &[]).is_none(), "no entry");
        assert!(graph(&[&[1, 0, 1], &[0]], &[0]).is_none(), "too many edges");
        assert_eq!(graph(&[&[1], &[0], &[0]], &[0]).unwrap().unreachable(), [2]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// It is the same at any number of threads, each point can be reached, also of those that are equal, and what is written of it is the same.
        #[test]
        fn a_graph_is_a_function_of_its_vectors(count in 0usize..300, width in 1usize..40, seed in 0u32..1000, copies in 1usize..4, parts in 1usize..4) {
            let vectors = clusters(count, width, seed).repeat(copies);
            let (points, graph) = built(&vectors, width, parts);
            let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
            prop_assert_eq!(&alone.install(|| built(&vectors, width, parts)), &(points.clone(), graph.clone()));
            prop_assert_eq!(graph.count(), count * copies);
            prop_assert_eq!(graph.unreachable(), Vec::<u32>::new());
            let edges = (0..graph.count()).map(|point| graph.neighbours(point));
            prop_assert_eq!(&Graph::from_edges(graph.config(), edges, graph.entries().to_vec()).unwrap(), &graph);
            let mut read = Points::new(points.frame().clone());
            for point in 0..points.count() {
                let mut record = Vec::new();
                points.push_record(point, &mut record);
                prop_assert!(read.add_record(&record));
            }
            prop_assert_eq!(read, points);
        }
    }
}

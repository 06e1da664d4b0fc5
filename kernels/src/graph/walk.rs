//! The way through a graph to what is near.

use super::{Graph, Points, Query};
use crate::lanes::vectorised;

/// A point that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Near {
    /// How far it is, to be compared with others: less is nearer.
    pub far: f32,
    /// Which one it is.
    pub point: u32,
    /// Whether its neighbours were looked at.
    is_passed: bool,
}

/// What walks use over and over.
#[derive(Debug, Clone, Default)]
pub struct WalkMemory {
    /// A bit for each point that was seen.
    seen: Vec<u64>,
    /// Those that were seen.
    list: Vec<u32>,
    /// The nearest so far, nearest first.
    nearest: Vec<Near>,
    /// Those whose neighbours were looked at.
    passed: Vec<Near>,
}

impl WalkMemory {
    /// Those whose neighbours were looked at, in the order of the walk.
    pub(super) fn passed(&self) -> &[Near] {
        &self.passed
    }

    fn begin(&mut self, count: usize) {
        for point in self.list.drain(..) {
            self.seen[point as usize / 64] = 0;
        }
        self.seen.resize(count.div_ceil(64), 0);
        self.nearest.clear();
        self.passed.clear();
    }

    /// Marks a point as seen.
    ///
    /// - returns: whether it was not before
    #[inline(always)]
    fn see(&mut self, point: u32) -> bool {
        let (word, bit) = (&mut self.seen[point as usize / 64], 1 << (point % 64));
        let is_fresh = *word & bit == 0;
        if is_fresh {
            *word |= bit;
            self.list.push(point);
        }
        is_fresh
    }

    /// Holds a point, if it is among the nearest.
    ///
    /// - returns: its place among them
    #[inline(always)]
    fn hold(&mut self, far: f32, point: u32, ef: usize) -> Option<usize> {
        let is_nearer = |held: &Near| (held.far, held.point) < (far, point);
        if self.nearest.len() == ef {
            if self.nearest.last().is_none_or(is_nearer) {
                return None;
            }
            self.nearest.pop();
        }
        let place = self.nearest.partition_point(is_nearer);
        self.nearest.insert(place, Near { far, point, is_passed: false });
        Some(place)
    }
}

impl Graph {
    /// The nearest points that a walk comes by, nearest first.
    ///
    /// - `points`: those that the graph is of
    /// - `ef`: points that are held, and found, at most
    pub fn walk<'m>(&self, points: &Points, query: &Query, ef: usize, memory: &'m mut WalkMemory) -> &'m [Near] {
        go(self, points, query, ef, memory);
        &memory.nearest
    }
}

vectorised! {
    fn go(graph: &Graph, points: &Points, query: &Query, ef: usize, memory: &mut WalkMemory) -> () {
        memory.begin(graph.count());
        for entry in &graph.entries {
            if memory.see(*entry) {
                memory.hold(query.far(points.point(*entry as usize)), *entry, ef);
            }
        }
        let mut next = 0;
        while let Some(near) = memory.nearest.get_mut(next) {
            if near.is_passed {
                next += 1;
                continue;
            }
            near.is_passed = true;
            let near = *near;
            memory.passed.push(near);
            for point in graph.neighbours(near.point as usize) {
                if memory.see(*point)
                    && let Some(place) = memory.hold(query.far(points.point(*point as usize)), *point, ef)
                {
                    next = next.min(place);
                }
            }
        }
    }
}

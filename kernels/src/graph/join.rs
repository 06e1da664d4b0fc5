//! Points join a graph.

use rayon::prelude::*;

use super::{Graph, NONE, Points, WalkMemory};
use crate::lanes::vectorised;

/// Of the points before them, the part that join together, at most: those of a group do not see each other.
const PART: usize = 50;

/// Points that join together, at most: what is held of them at a time is bounded.
const MOST: usize = 1 << 14;

/// Points for each at which walks begin, and such points, at most: beside those that no edges lead to.
const APART: usize = 64;
const ENTRIES: usize = 256;

impl Graph {
    /// Lets points join that are not in the graph yet.
    ///
    /// - `points`: those that it is of, and new ones behind them
    /// - `told`: is told how many points there are now
    pub fn join(&mut self, points: &Points, mut told: impl FnMut(usize)) {
        let (before, count) = (self.count(), points.count());
        if count == before {
            return;
        }
        let mut order: Vec<u32> = (before..count).map(|point| u32::try_from(point).expect("fewer points")).collect();
        // neighbours in a file are often near each other, and would not see each other in a group
        order.sort_by_cached_key(|point| (scattered(*point), *point));
        self.neighbours.resize(count * self.config.degree, NONE);
        if self.entries.is_empty() {
            self.entries.push(middle(points, &order));
        }
        let entry = self.entries[0];
        order.retain(|point| *point != entry);
        let (mut rest, mut joined) = (&order[..], before.max(1));
        while !rest.is_empty() {
            let (group, later) = rest.split_at((joined / PART).clamp(1, MOST).min(rest.len()));
            self.join_group(points, group);
            // walks begin in many places: near to what is wanted, and wherever that lies
            let wanted = ((joined + group.len()) / APART).min(ENTRIES);
            let more = wanted.saturating_sub(self.entries.len());
            self.entries.extend(group.iter().take(more));
            (rest, joined) = (later, joined + group.len());
            told(joined);
        }
        self.lead_to_all(points);
    }

    /// Lets points join that do not see each other.
    fn join_group(&mut self, points: &Points, group: &[u32]) {
        let degree = self.config.degree;
        let graph = &*self;
        let own: Vec<Vec<u32>> = group
            .par_iter()
            .map_init(WalkMemory::default, |memory, point| {
                graph.walk(points, &points.as_query(*point as usize), graph.config.ef, memory);
                let candidates = memory.passed().iter().map(|near| near.point);
                chosen(points, *point, candidates.collect(), degree)
            })
            .collect();
        // edges back, by the point that they leave
        let mut back: Vec<(u32, u32)> = Vec::with_capacity(group.len() * degree / 2);
        for (point, own) in group.iter().zip(&own) {
            self.set_neighbours(*point, own);
            back.extend(own.iter().map(|neighbour| (*neighbour, *point)));
        }
        back.par_sort_unstable();
        let groups: Vec<&[(u32, u32)]> = back.chunk_by(|one, other| one.0 == other.0).collect();
        let graph = &*self;
        let replaced: Vec<Vec<u32>> = groups
            .par_iter()
            .map(|edges| {
                let from = edges[0].0;
                let mut all = graph.neighbours(from as usize).to_vec();
                all.extend(edges.iter().map(|(_, to)| *to));
                if all.len() > degree { chosen(points, from, all, degree) } else { all }
            })
            .collect();
        for (edges, neighbours) in groups.iter().zip(replaced) {
            self.set_neighbours(edges[0].0, &neighbours);
        }
    }

    fn set_neighbours(&mut self, point: u32, neighbours: &[u32]) {
        let own = &mut self.neighbours[point as usize * self.config.degree..][..self.config.degree];
        own.fill(NONE);
        own[..neighbours.len()].copy_from_slice(neighbours);
    }

    /// Makes sure that each point can be reached.
    fn lead_to_all(&mut self, points: &Points) {
        let mut reached = self.reached();
        let mut memory = WalkMemory::default();
        for point in 0..self.count() {
            if reached[point] {
                continue;
            }
            let number = u32::try_from(point).expect("fewer points");
            let found = self.walk(points, &points.as_query(point), self.config.ef, &mut memory);
            // all that a walk comes by can be reached
            let with_room = found.iter().find(|near| self.neighbours(near.point as usize).len() < self.config.degree);
            match with_room.map(|near| near.point as usize) {
                Some(from) => {
                    let place = self.neighbours(from).len();
                    self.neighbours[from * self.config.degree + place] = number;
                }
                None => self.entries.push(number),
            }
            self.reach(number, &mut reached);
        }
    }
}

vectorised! {
    /// Of points that lie near another, those that lie in different directions: nearest first, without those that are nearer to one before them.
    fn chosen(points: &Points, point: u32, candidates: Vec<u32>, degree: usize) -> Vec<u32> {
        let own = points.point(point as usize);
        let others = candidates.into_iter().filter(|other| *other != point);
        let mut candidates: Vec<(f32, u32)> =
            others.map(|other| (own.squared_distance(points.point(other as usize)), other)).collect();
        candidates.sort_unstable_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        candidates.dedup();
        let mut chosen: Vec<u32> = Vec::with_capacity(degree);
        for (far, candidate) in candidates {
            let own = points.point(candidate as usize);
            // those that are nearer to the point than to any before them are ways out of where all are near each other
            let is_behind = |before: &u32| own.squared_distance(points.point(*before as usize)) <= far;
            if !chosen.iter().any(is_behind) {
                chosen.push(candidate);
                if chosen.len() == degree {
                    break;
                }
            }
        }
        chosen
    }
}

/// The point among some that lies nearest to their mean.
fn middle(points: &Points, among: &[u32]) -> u32 {
    let mean = points.mean(among);
    let far = |point: &u32| mean.far(points.point(*point as usize));
    let nearest = among.par_iter().min_by(|one, other| far(one).total_cmp(&far(other)).then(one.cmp(other)));
    nearest.copied().unwrap_or_default()
}

/// A number without order: the last step of MurmurHash3.
fn scattered(number: u32) -> u32 {
    let mut mixed = number ^ (number >> 16);
    mixed = mixed.wrapping_mul(0x85eb_ca6b);
    mixed ^= mixed >> 13;
    mixed = mixed.wrapping_mul(0xc2b2_ae35);
    mixed ^ (mixed >> 16)
}

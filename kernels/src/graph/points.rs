//! Vectors as codes of a byte a number.
//!
//! The mean of all vectors is taken off each, and off queries, so that codes are of what tells them apart; what a vector's product with the mean is
//! stands beside its codes. What is left is divided by the longest that there is, and given one number more, such that all have the length 1: then those whose dot product
//! with a query is the greatest are those that lie nearest to it, and distances between vectors say who lies near whom.

use rayon::prelude::*;

/// Codes are read so many at a time.
const LANE: usize = 32;

/// Bytes of the numbers behind the codes of a point: its scale, what it is given more, the square of its length, and its product with the mean.
const TAIL: usize = 4 * size_of::<f32>();

/// Bytes of which a point takes a multiple: half a line of a cache.
const APART: usize = 32;

/// The largest code of a query: finer than those of points, which costs nothing.
const FINEST: f32 = 4095.0;

/// Between what vectors lie.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Their mean.
    pub mean: Vec<f32>,
    /// The length of the longest of them without the mean, above 0. Those that are longer are found less well.
    pub longest: f32,
}

/// Vectors as codes.
#[derive(Debug, Clone, PartialEq)]
pub struct Points {
    frame: Frame,
    /// Codes, then the three numbers, of each point in one place of memory.
    records: Vec<i8>,
}

/// What is searched for.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    codes: Vec<i16>,
    scale: f32,
    more: f32,
    /// How much of a point's product with the mean counts: all for a vector, and nothing for a point.
    of_mean: f32,
}

/// A point, where it lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point<'p> {
    codes: &'p [i8],
    scale: f32,
    more: f32,
    square: f32,
    of_mean: f32,
}

impl Frame {
    /// That of some vectors.
    ///
    /// - `width`: numbers of a vector
    /// - `visit`: gives all vectors in parts, each `[rows, width]`; it is called twice
    ///
    /// # Errors
    /// Those of `visit`.
    pub fn of<E>(width: usize, visit: impl Fn(&mut dyn FnMut(&[f32])) -> Result<(), E>) -> Result<Self, E> {
        let (mut sums, mut count) = (vec![0.0f64; width], 0usize);
        visit(&mut |vectors| {
            // sums of so many rows at a time: a constant, so that no sum depends on threads
            let of_part = |vectors: &[f32]| {
                let mut sums = vec![0.0f64; width];
                for vector in vectors.chunks_exact(width) {
                    sums.iter_mut().zip(vector).for_each(|(sum, number)| *sum += f64::from(*number));
                }
                sums
            };
            for part in vectors.par_chunks(4096 * width).map(of_part).collect::<Vec<_>>() {
                sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
            }
            count += vectors.len() / width;
        })?;
        let mean: Vec<f32> = sums.iter().map(|sum| (sum / count.max(1) as f64) as f32).collect();
        let mut longest = 0.0f32;
        visit(&mut |vectors| {
            let lengths = vectors.par_chunks_exact(width).map(|vector| square(vector, &mean).sqrt());
            longest = longest.max(lengths.reduce(|| 0.0, f32::max));
        })?;
        Ok(Self { mean, longest: if longest > 0.0 { longest } else { 1.0 } })
    }
}

impl Points {
    /// No points.
    #[must_use]
    pub fn new(frame: Frame) -> Self {
        Self { frame, records: Vec::new() }
    }

    /// Between what vectors lie.
    #[must_use]
    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    /// Numbers of a vector.
    #[must_use]
    #[inline(always)]
    pub fn width(&self) -> usize {
        self.frame.mean.len()
    }

    /// Points.
    #[must_use]
    pub fn count(&self) -> usize {
        self.records.len() / self.bytes()
    }

    /// Adds vectors.
    ///
    /// - `vectors`: `[rows, width]`
    pub fn add(&mut self, vectors: &[f32]) {
        let (bytes, room, width) = (self.bytes(), self.room(), self.width());
        let Frame { mean, longest } = &self.frame;
        let before = self.records.len();
        self.records.resize(before + vectors.len() / width * bytes, 0);
        let records = self.records[before..].par_chunks_mut(bytes).with_min_len(64);
        records.zip(vectors.par_chunks(width)).for_each(|(record, vector)| {
            let (codes, tail) = record.split_at_mut(room);
            let off_mean = || vector.iter().zip(mean).map(|(number, mean)| number - mean);
            let most = off_mean().fold(0.0f32, |most, number| most.max(number.abs()));
            if most > 0.0 {
                codes
                    .iter_mut()
                    .zip(off_mean())
                    .for_each(|(code, number)| *code = (number * (127.0 / most)).round() as i8);
            }
            let scale = most / 127.0 / longest;
            let more = (1.0 - square(vector, mean) / (longest * longest)).max(0.0).sqrt();
            let square = scale * scale * dot(codes, codes) as f32 + more * more;
            let of_mean = off_mean().zip(mean).map(|(number, mean)| number * mean).sum::<f32>() / longest;
            write_tail(tail, [scale, more, square, of_mean]);
        });
    }

    /// Adds a point by its record.
    ///
    /// - returns: whether it is one
    pub fn add_record(&mut self, record: &[i8]) -> bool {
        let is_one = record.len() == self.record_width() && tail(&record[self.width()..]).iter().all(|x| x.is_finite());
        if is_one {
            let room = self.room();
            let end = self.records.len() + self.bytes();
            self.records.extend_from_slice(&record[..self.width()]);
            self.records.resize(end - self.bytes() + room, 0);
            self.records.extend_from_slice(&record[self.width()..]);
            self.records.resize(end, 0);
        }
        is_one
    }

    /// Appends the record of a point: its codes, and its three numbers, a byte at a time.
    pub fn push_record(&self, point: usize, to: &mut Vec<i8>) {
        let record = &self.records[point * self.bytes()..][..self.bytes()];
        to.extend_from_slice(&record[..self.width()]);
        to.extend_from_slice(&record[self.room()..][..TAIL]);
    }

    /// Bytes of a point's record.
    #[must_use]
    pub fn record_width(&self) -> usize {
        self.width() + TAIL
    }

    /// A vector to search for.
    #[must_use]
    pub fn query(&self, vector: &[f32]) -> Query {
        let mut codes = vec![0; self.room()];
        let off_mean = || vector.iter().zip(&self.frame.mean).map(|(number, mean)| number - mean);
        let most = off_mean().fold(0.0f32, |most, number| most.max(number.abs()));
        if most > 0.0 {
            codes
                .iter_mut()
                .zip(off_mean())
                .for_each(|(code, number)| *code = (number * (FINEST / most)).round() as i16);
        }
        Query { codes, scale: most / FINEST, more: 0.0, of_mean: 1.0 }
    }

    /// A point to search for.
    pub(super) fn as_query(&self, point: usize) -> Query {
        let Point { codes, scale, more, .. } = self.point(point);
        Query { codes: codes.iter().map(|code| i16::from(*code)).collect(), scale, more, of_mean: 0.0 }
    }

    /// The mean of some points.
    pub(super) fn mean(&self, among: &[u32]) -> Query {
        // sums of so many points at a time: a constant, so that no sum depends on threads
        let sums = among.par_chunks(4096).map(|few| {
            let mut sums = vec![0.0; self.width() + 1];
            for Point { codes, scale, more, .. } in few.iter().map(|point| self.point(*point as usize)) {
                sums.iter_mut().zip(codes).for_each(|(sum, code)| *sum += f64::from(scale) * f64::from(*code));
                sums[self.width()] += f64::from(more);
            }
            sums
        });
        let mut mean = vec![0.0f64; self.width() + 1];
        for sums in sums.collect::<Vec<_>>() {
            mean.iter_mut().zip(sums).for_each(|(mean, sum)| *mean += sum / among.len() as f64);
        }
        let numbers: Vec<f32> = mean.iter().map(|number| *number as f32).collect();
        let (off_mean, more) = (&numbers[..self.width()], numbers[self.width()]);
        let vector: Vec<f32> = off_mean.iter().zip(&self.frame.mean).map(|(number, mean)| number + mean).collect();
        Query { more, of_mean: 0.0, ..self.query(&vector) }
    }

    /// A point.
    #[inline(always)]
    pub(super) fn point(&self, number: usize) -> Point<'_> {
        let (codes, rest) = self.records[number * self.bytes()..][..self.bytes()].split_at(self.room());
        let [scale, more, square, of_mean] = tail(rest);
        Point { codes, scale, more, square, of_mean }
    }

    /// Bytes that codes take.
    #[inline(always)]
    fn room(&self) -> usize {
        self.width().next_multiple_of(LANE)
    }

    #[inline(always)]
    fn bytes(&self) -> usize {
        (self.room() + TAIL).next_multiple_of(APART)
    }
}

impl Query {
    /// How far a point is, to be compared with others: less is nearer.
    #[inline(always)]
    pub(super) fn far(&self, point: Point<'_>) -> f32 {
        let product = self.scale * point.scale * dot(&self.codes, point.codes) as f32;
        -(product + self.more * point.more + self.of_mean * point.of_mean)
    }
}

impl Point<'_> {
    /// The square of the distance of two points.
    #[inline(always)]
    pub(super) fn squared_distance(self, other: Point<'_>) -> f32 {
        let product = self.scale * other.scale * dot(self.codes, other.codes) as f32 + self.more * other.more;
        (self.square + other.square - 2.0 * product).max(0.0)
    }
}

/// The sum of the products of codes, of which there are a multiple of [`LANE`].
#[inline(always)]
fn dot<X: Copy + Into<i32>>(x: &[X], y: &[i8]) -> i32 {
    let (x, _) = x.as_chunks::<LANE>();
    let (y, _) = y.as_chunks::<LANE>();
    let mut sum = 0;
    for (x, y) in x.iter().zip(y) {
        for lane in 0..LANE {
            let x: i32 = x[lane].into();
            sum += x * i32::from(y[lane]);
        }
    }
    sum
}

/// The square of the length of a vector without the mean.
fn square(vector: &[f32], mean: &[f32]) -> f32 {
    vector.iter().zip(mean).map(|(number, mean)| (number - mean) * (number - mean)).sum()
}

fn tail(bytes: &[i8]) -> [f32; 4] {
    [0, 1, 2, 3].map(|place| {
        let own: [i8; 4] = std::array::from_fn(|byte| bytes[place * 4 + byte]);
        f32::from_le_bytes(own.map(i8::cast_unsigned))
    })
}

fn write_tail(bytes: &mut [i8], numbers: [f32; 4]) {
    for (place, number) in numbers.into_iter().enumerate() {
        for (byte, to) in number.to_le_bytes().into_iter().zip(&mut bytes[place * 4..]) {
            *to = byte.cast_signed();
        }
    }
}

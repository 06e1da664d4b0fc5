//! A graph of near vectors, in a file that never changes.
//!
//! ```text
//! GRAPH/graph.parquet     key, record, neighbours      by point
//!       mean.parquet      mean: that of all vectors, which is taken off each
//! ```
//!
//! A point is known by the hash of a passage's id and vector, so that it is found again in whatever segment the passage stands; one whose passage
//! was removed or replaced stays, as a way to others.

use std::{path::Path, sync::Arc};

use arrow::{
    array::{ArrayRef, AsArray as _, FixedSizeBinaryArray, Float32Array, ListArray, RecordBatch, UInt32Array},
    buffer::OffsetBuffer,
    datatypes::{DataType, Field, Float32Type, UInt32Type},
};
use kernels::graph::{Frame, Graph, GraphConfig, Points};
use schemas::manifest::FileEntry;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use super::{
    folders::Kind,
    parquet_files::{BATCH_ROWS, Columns, Layout, numbers, read_file, verify_sizes, write_parquet},
};
use crate::error::{Error, Result};

const FILE: &str = "graph.parquet";
const MEAN: &str = "mean.parquet";

/// The graph of an index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GraphEntry {
    /// The name of its folder.
    pub(super) name: String,
    /// Points.
    pub points: usize,
    degree: usize,
    ef: usize,
    longest: f32,
    entries: Vec<u32>,
    /// Points when it was made.
    pub(super) made_of: usize,
    /// Of the ten passages whose vectors are most like that of a passage, the share that is found with the usual `ef`: over some passages.
    pub recall: Option<f64>,
    /// Segments all of whose passages are points.
    pub(super) segments: Vec<String>,
    pub(super) files: Vec<FileEntry>,
}

/// A graph with the keys of its points.
#[derive(Debug)]
pub(super) struct StoredGraph {
    pub graph: Graph,
    pub points: Points,
    pub keys: Vec<u128>,
    /// Points when it was made: the mean that is taken off, and the longest, are theirs.
    pub made_of: usize,
}

impl GraphEntry {
    /// Whether it is in a folder of this name.
    pub(super) fn is_in(&self, name: &str) -> bool {
        self.name == name
    }

    /// The same, all of whose points are known to be passages of other segments.
    pub(super) fn with_segments(&self, segments: Vec<String>) -> Self {
        Self { segments, ..self.clone() }
    }

    /// How it was made.
    pub(super) fn config(&self) -> GraphConfig {
        GraphConfig { degree: self.degree, ef: self.ef }
    }
}

/// What a passage is known by as a point.
pub(super) fn key(id: &str, vector: &[f32]) -> u128 {
    let mut hash = Xxh3::new();
    hash.update(&(id.len() as u64).to_le_bytes());
    hash.update(id.as_bytes());
    let mut bytes = [0; 256];
    for numbers in vector.chunks(64) {
        numbers.iter().zip(bytes.as_chunks_mut::<4>().0).for_each(|(number, bytes)| *bytes = number.to_le_bytes());
        hash.update(&bytes[..4 * numbers.len()]);
    }
    hash.digest128()
}

impl StoredGraph {
    /// Writes it into the folder of an index; it is no part of that yet.
    ///
    /// - `version`: that of the index which it comes with
    /// - `segments`: those all of whose passages are points
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn publish(
        &self,
        index: &Path,
        version: u64,
        segments: Vec<String>,
        recall: Option<f64>,
    ) -> Result<GraphEntry> {
        let Self { graph, points, keys, made_of } = self;
        let batches = (0..keys.len()).step_by(BATCH_ROWS).map(|begin| {
            let range = begin..keys.len().min(begin + BATCH_ROWS);
            self.columns(range)
        });
        let Frame { mean, longest } = points.frame();
        let means: ArrayRef = Arc::new(Float32Array::from(mean.clone()));
        let write = |folder: &Path| {
            let points = write_parquet((folder, FILE), Layout::Vectors, keys.len(), batches)?;
            let means = [vec![("mean", means, false)]].into_iter();
            Ok(vec![points, write_parquet((folder, MEAN), Layout::Vectors, mean.len(), means)?])
        };
        let (name, files) = Kind::Graph.publish(index, version, write)?;
        let GraphConfig { degree, ef } = graph.config();
        let (points, longest, entries) = (points.count(), *longest, graph.entries().to_vec());
        Ok(GraphEntry { name, points, degree, ef, longest, entries, made_of: *made_of, recall, segments, files })
    }

    fn columns(&self, range: std::ops::Range<usize>) -> Columns {
        let Self { graph, points, keys, .. } = self;
        let keys = keys[range.clone()].iter().map(|key| key.to_le_bytes());
        let keys = FixedSizeBinaryArray::try_from_iter(keys).expect("keys are of one length");
        let mut bytes = Vec::with_capacity(range.len() * points.record_width());
        range.clone().for_each(|point| points.push_record(point, &mut bytes));
        let bytes: Vec<u8> = bytes.into_iter().map(i8::cast_unsigned).collect();
        let records = bytes.chunks(points.record_width());
        let records = FixedSizeBinaryArray::try_from_iter(records).expect("records are of one length");
        let lengths = OffsetBuffer::from_lengths(range.clone().map(|point| graph.neighbours(point).len()));
        let edges: UInt32Array = range.flat_map(|point| graph.neighbours(point)).copied().collect();
        let item = Arc::new(Field::new("item", DataType::UInt32, false));
        let neighbours = ListArray::new(item, lengths, Arc::new(edges), None);
        let column = |array: ArrayRef, name| (name, array, false);
        vec![
            column(Arc::new(keys), "key"),
            column(Arc::new(records), "record"),
            column(Arc::new(neighbours), "neighbours"),
        ]
    }

    /// Reads that of an index.
    ///
    /// - `width`: of its vectors
    ///
    /// # Errors
    /// When the file cannot be read, or is no such graph.
    pub fn read(index: &Path, entry: &GraphEntry, width: usize) -> Result<Self> {
        let folder = Kind::Graph.folder(index, &entry.name);
        verify_sizes(&folder, &entry.files)?;
        let path = folder.join(FILE);
        let mut mean = Vec::with_capacity(width);
        read_file(&folder.join(MEAN), &["mean"], |batch| {
            mean.extend_from_slice(numbers::<Float32Type>(batch, "mean")?);
            Ok(())
        })?;
        if mean.len() != width {
            let message = format!("it has {} numbers, and vectors have {width}", mean.len());
            return Err(Error::Damaged { path: folder.join(MEAN), message });
        }
        let mut points = Points::new(Frame { mean, longest: entry.longest });
        let (mut keys, mut edges, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
        read_file(&path, &["key", "record", "neighbours"], |batch| {
            keys_of(batch, &mut keys)?;
            let records = batch.column_by_name("record").and_then(|column| column.as_fixed_size_binary_opt());
            for record in records.ok_or("it lacks the column `record`")? {
                let record: Vec<i8> = record.unwrap_or_default().iter().map(|byte| byte.cast_signed()).collect();
                if !points.add_record(&record) {
                    return Err(format!("a record of it is no point of {width} numbers"));
                }
            }
            let lists = batch.column_by_name("neighbours").and_then(|column| column.as_list_opt::<i32>());
            let lists = lists.ok_or("it lacks the column `neighbours`")?;
            lengths.extend(lists.offsets().lengths());
            for list in lists.iter() {
                let list = list.ok_or("a point lacks neighbours")?;
                edges.extend_from_slice(
                    list.as_primitive_opt::<UInt32Type>().ok_or("neighbours are no numbers")?.values(),
                );
            }
            Ok(())
        })?;
        let damaged = |message: String| Error::Damaged { path: path.clone(), message };
        if keys.len() != entry.points {
            return Err(damaged(format!("it has {} points, and {} were written", keys.len(), entry.points)));
        }
        let mut rest = &edges[..];
        let neighbours = lengths.iter().map(|length| {
            let (own, others) = rest.split_at(*length);
            rest = others;
            own
        });
        let graph = Graph::from_edges(entry.config(), neighbours, entry.entries.clone());
        let graph = graph.ok_or_else(|| damaged("an edge of it leads nowhere".into()))?;
        Ok(Self { graph, points, keys, made_of: entry.made_of })
    }

    /// Makes sure that no file of it is missing or was cut short.
    ///
    /// # Errors
    /// When one is: it is named.
    pub fn verify_sizes(index: &Path, entry: &GraphEntry) -> Result<()> {
        verify_sizes(&Kind::Graph.folder(index, &entry.name), &entry.files)
    }

    /// Reads the keys of its points alone.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read_keys(index: &Path, entry: &GraphEntry) -> Result<Vec<u128>> {
        let mut keys = Vec::with_capacity(entry.points);
        let path = Kind::Graph.folder(index, &entry.name).join(FILE);
        read_file(&path, &["key"], |batch| keys_of(batch, &mut keys))?;
        Ok(keys)
    }
}

fn keys_of(batch: &RecordBatch, keys: &mut Vec<u128>) -> Result<(), String> {
    let column = batch.column_by_name("key").and_then(|column| column.as_fixed_size_binary_opt());
    for key in column.ok_or("it lacks the column `key`")? {
        let bytes = key.and_then(|key| key.try_into().ok()).ok_or("a key is no 16 bytes")?;
        keys.push(u128::from_le_bytes(bytes));
    }
    Ok(())
}

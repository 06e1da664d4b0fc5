//! fastText models, plain and quantized: reading them, and what they say of a text.
//!
//! ```text
//! text -> words, by ASCII white space -> rows: words, their n-grams of characters -> mean -> label
//!                                        each row: a byte for every two numbers, or so
//! ```
//!
//! Only what names a text is here: no training, and no word vectors. Sums run in the order of the original, so that labels are
//! the original's.
//!
//! Source: Joulin et al. 2016 ("`FastText.zip`") for the idea; the file format and the hashes are those of fastText 0.9,
//! version 12.

use std::{collections::HashMap, io::Read};

use rayon::prelude::*;
use xxhash_rust::xxh3::Xxh3Builder;

use super::label_tree::LabelTree;

/// Why a file is no model that can be used.
pub type Wrong = String;

/// A model.
pub struct FastTextModel {
    vocabulary: Vocabulary,
    labels: Vec<String>,
    input: Matrix,
    output: Matrix,
    loss: Loss,
}

/// What a line is made of: words, and n-grams of characters and of words.
struct Vocabulary {
    words: Words,
    grams: Grams,
}

/// A model of two labels, in which each row is one number: what it adds to the log-odds. The mean of rows and its product with the labels'
/// vectors are linear, so that the product may come first: a row is 4 bytes then, and not hundreds.
pub struct LinearModel {
    vocabulary: Vocabulary,
    weights: Vec<f32>,
}

/// Rows of words. Names come from the model's file, so that nobody can choose them to collide.
type Words = HashMap<Box<[u8]>, u32, Xxh3Builder>;

/// Which n-grams of characters have a row.
struct Grams {
    min: usize,
    max: usize,
    buckets: Buckets,
    /// Rows of n-grams, by bucket; none where every bucket has its own.
    kept: Option<Kept>,
    /// Rows of words, before those of n-grams.
    words: u32,
    /// Words in an n-gram of words.
    word_ngrams: usize,
}

enum Loss {
    Tree(LabelTree),
    Softmax,
}

/// A matrix of which each row is some bytes, each a place in a table of short vectors.
struct Quantized {
    codes: Vec<u8>,
    vectors: Vectors,
    /// The length of every row, if rows have length 1 without it.
    norms: Option<(Vec<u8>, Vectors)>,
    rows: usize,
}

/// Tables of 256 vectors, one table for each part of a row.
struct Vectors {
    parts: usize,
    size: usize,
    last_size: usize,
    values: Vec<f32>,
}

/// A matrix, packed or not.
enum Matrix {
    Plain { width: usize, values: Vec<f32> },
    Quantized(Quantized),
}

/// Numbers of a matrix that is unpacked, at most: 128 MiB.
const UNPACKED: usize = 32 << 20;

/// Vectors in a table.
const TABLE: usize = 256;

const MAGIC: i32 = 793_712_314;
const VERSION: i32 = 12;

/// What stands at the end of a line.
const END_OF_LINE: &[u8] = b"</s>";

/// What labels begin with.
const LABEL: &[u8] = b"__label__";

/// What is needed from text to text.
#[derive(Debug, Default)]
pub struct Buffers {
    rows: Vec<u32>,
    hashes: Vec<u32>,
    word: Vec<u8>,
    hidden: Vec<f32>,
}

impl FastTextModel {
    /// Reads a model.
    ///
    /// # Errors
    /// When the file is cut short, or is no quantized model for naming texts; says what was found.
    pub fn read(input: impl Read) -> Result<Self, Wrong> {
        let mut file = Fields(input);
        let (magic, version) = (file.i32()?, file.i32()?);
        if magic != MAGIC || version != VERSION {
            return Err(format!("expected a fastText model of version {VERSION}, found {magic:#x} and {version}"));
        }
        let mut settings = [0; 12];
        for setting in &mut settings {
            *setting = file.i32()?;
        }
        let [width, _, _, _, _, word_ngrams, loss, kind, buckets, min, max, _] = settings;
        let _threshold = file.bytes(8)?;
        if kind != 3 {
            return Err("the model makes word vectors, and names no texts".into());
        }
        let width = count(width)?;
        let mut dictionary = Dictionary::read(&mut file)?;
        let grams = Grams {
            min: count(min)?,
            max: count(max)?,
            buckets: Buckets::new(u32::try_from(buckets).map_err(|_| "a negative number of buckets".to_owned())?),
            kept: dictionary.kept.take().map(Kept::new),
            words: u32::try_from(dictionary.words.len()).map_err(|_| "too many words".to_owned())?,
            word_ngrams: count(word_ngrams)?,
        };
        let input = if file.flag()? { Quantized::read(&mut file)?.unpacked() } else { Matrix::read(&mut file)? };
        let output =
            if file.flag()? { Matrix::Quantized(Quantized::read(&mut file)?) } else { Matrix::read(&mut file)? };
        if input.width() != width || output.width() != width || output.rows() < dictionary.labels.len() - 1 {
            return Err(format!("the matrices do not fit a width of {width} and {} labels", dictionary.labels.len()));
        }
        let rows = dictionary.words.len() + grams.kept.as_ref().map_or(grams.buckets.count as usize, Kept::rows);
        let hashes = grams.word_ngrams > 1 || grams.max > 0;
        let too_few = if hashes {
            grams.buckets.count == 0 || input.rows() < rows
        } else {
            input.rows() < dictionary.words.len()
        };
        if too_few {
            return Err(format!(
                "{} rows are too few for {} words and their n-grams",
                input.rows(),
                dictionary.words.len()
            ));
        }
        let loss = match loss {
            1 => Loss::Tree(LabelTree::new(&dictionary.counts)),
            3 if output.rows() >= dictionary.labels.len() => Loss::Softmax,
            other => {
                return Err(format!("the loss is number {other}; only hierarchical softmax and softmax are known"));
            }
        };
        let vocabulary = Vocabulary { words: dictionary.words, grams };
        Ok(Self { vocabulary, labels: dictionary.labels, input, output, loss })
    }

    /// The number of a label, which is written without `__label__`.
    pub fn label(&self, name: &str) -> Option<usize> {
        self.labels.iter().position(|label| label == name)
    }

    /// The labels, without `__label__`.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The model of one label against the other; none where there are more of them, or where they stand in a tree.
    pub fn linear(self, label: usize) -> Option<LinearModel> {
        let (Loss::Softmax, 2) = (&self.loss, self.labels.len()) else { return None };
        let mut direction = vec![0.0; self.output.width()];
        self.output.add(1 - label, &mut direction);
        direction.iter_mut().for_each(|value| *value = -*value);
        self.output.add(label, &mut direction);
        let weights = (0..self.input.rows()).into_par_iter().map(|row| self.input.dot(row, &direction)).collect();
        Some(LinearModel { vocabulary: self.vocabulary, weights })
    }

    /// The likeliest label of a line and its probability; none where the line has nothing that the model knows.
    pub fn identify(&self, line: &str, buffers: &mut Buffers) -> Option<(&str, f32)> {
        self.hide(line, buffers)?;
        let hidden = &buffers.hidden;
        let (label, probability) = match &self.loss {
            Loss::Tree(tree) => tree.likeliest(|node| self.output.dot(node, hidden)),
            Loss::Softmax => self.softmax(hidden),
        };
        Some((&self.labels[label], probability))
    }

    /// The mean of the rows of a line; none where it has no row.
    fn hide(&self, line: &str, buffers: &mut Buffers) -> Option<()> {
        self.vocabulary.rows(line.as_bytes(), buffers);
        let Buffers { rows, hidden, .. } = buffers;
        if rows.is_empty() {
            return None;
        }
        hidden.clear();
        hidden.resize(self.input.width(), 0.0);
        for row in rows.iter() {
            self.input.add(*row as usize, hidden);
        }
        #[expect(clippy::cast_possible_truncation, reason = "as the original divides")]
        let scale = (1.0 / rows.len() as f64) as f32;
        hidden.iter_mut().for_each(|value| *value *= scale);
        Some(())
    }

    fn softmax(&self, hidden: &[f32]) -> (usize, f32) {
        let scores: Vec<f32> = (0..self.labels.len()).map(|label| self.output.dot(label, hidden)).collect();
        let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f32 = scores.iter().map(|score| (score - most).exp()).sum();
        let label = scores.iter().position(|score| *score >= most).unwrap_or_default();
        (label, 1.0 / sum)
    }
}

impl LinearModel {
    /// The log-odds of the label, none where the line has no row, and the share of its words and n-grams that the model knows; 0 for a line
    /// without words.
    pub fn read(&self, line: &str, buffers: &mut Buffers) -> (Option<f64>, f64) {
        let (known, all) = self.vocabulary.rows(line.as_bytes(), buffers);
        let rows = &buffers.rows;
        let sum: f64 = rows.iter().map(|row| f64::from(self.weights[*row as usize])).sum();
        let log_odds = (!rows.is_empty()).then(|| sum / rows.len() as f64);
        (log_odds, if all == 0 { 0.0 } else { known as f64 / all as f64 })
    }
}

impl Vocabulary {
    /// Rows of the words of a line, and of what they are made of.
    ///
    /// - returns: of its words and n-grams, how many are known, and how many there are. A word is known that the dictionary has, and an n-gram of
    ///   such words: a bucket has a row whether anything was seen in it or not, and n-grams of characters are no words.
    fn rows(&self, line: &[u8], buffers: &mut Buffers) -> (usize, usize) {
        let Buffers { rows, hashes, word, .. } = buffers;
        rows.clear();
        hashes.clear();
        let separates = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | 0x0b | 0x0c | 0);
        // what looks like a label is none of the text
        let tokens = line.split(separates).filter(|token| !token.is_empty() && !token.starts_with(LABEL));
        let longest = self.grams.word_ngrams.max(1);
        // words so far, known words without a break, and the n-grams that end there
        let (mut words, mut streak, mut all_runs, mut known_runs) = (0usize, 0usize, 0, 0);
        for token in tokens.chain([END_OF_LINE]) {
            hashes.push(hash(HASH_START, token));
            let known = self.words.get(token);
            rows.extend(known);
            let ends = token == END_OF_LINE;
            if !ends {
                words += 1;
                streak = if known.is_some() { streak + 1 } else { 0 };
                all_runs += words.min(longest);
                known_runs += streak.min(longest);
            }
            if !ends && (known.is_none() || self.grams.max > 0) {
                word.clear();
                word.push(b'<');
                word.extend_from_slice(token);
                word.push(b'>');
                self.grams.of_word(word, rows);
            }
            if ends {
                break;
            }
        }
        self.grams.of_words(hashes, rows);
        (known_runs, all_runs)
    }
}

/// The hash that the n-grams are known by: FNV-1a, of bytes as signed numbers.
const HASH_START: u32 = 2_166_136_261;

fn hash(start: u32, bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(start, |hash, byte| (hash ^ i32::from(byte.cast_signed()).cast_unsigned()).wrapping_mul(16_777_619))
}

/// How many buckets there are, for remainders without a division.
///
/// Source: Lemire, Kaser, Kurz 2019, "Faster remainder by direct computation".
struct Buckets {
    count: u32,
    inverse: u64,
}

impl Buckets {
    fn new(count: u32) -> Self {
        // without buckets there are no n-grams, and nothing is divided
        Self { count, inverse: u64::MAX.checked_div(u64::from(count)).unwrap_or_default().wrapping_add(1) }
    }

    /// The bucket of a hash: its remainder.
    fn of(&self, hash: u32) -> u32 {
        let fraction = self.inverse.wrapping_mul(u64::from(hash));
        #[expect(clippy::cast_possible_truncation, reason = "a remainder is below the count")]
        let remainder = ((u128::from(fraction) * u128::from(self.count)) >> 64) as u32;
        remainder
    }
}

/// The buckets that have a row: one bit each, and a table for those whose bit is set. Most n-grams have none.
struct Kept {
    bits: Vec<u64>,
    /// Bucket and row, from the place that the bucket hashes to.
    slots: Vec<Option<(u32, u32)>>,
}

impl Kept {
    fn new(pairs: Vec<(u32, u32)>) -> Self {
        let last = pairs.iter().map(|(bucket, _)| *bucket as usize).max().unwrap_or_default();
        let mut kept =
            Self { bits: vec![0; last / 64 + 1], slots: vec![None; (4 * pairs.len()).next_power_of_two().max(2)] };
        for (bucket, row) in pairs {
            kept.bits[bucket as usize / 64] |= 1 << (bucket % 64);
            let mut slot = kept.slot(bucket);
            while kept.slots[slot].is_some() {
                slot = (slot + 1) % kept.slots.len();
            }
            kept.slots[slot] = Some((bucket, row));
        }
        kept
    }

    /// Rows that these need, behind those of words.
    fn rows(&self) -> usize {
        self.slots.iter().flatten().map(|(_, row)| *row as usize + 1).max().unwrap_or_default()
    }

    fn slot(&self, bucket: u32) -> usize {
        (bucket.wrapping_mul(0x9e37_79b1) >> 4) as usize & (self.slots.len() - 1)
    }

    fn row(&self, bucket: u32) -> Option<u32> {
        if self.bits.get(bucket as usize / 64).is_none_or(|bits| bits >> (bucket % 64) & 1 == 0) {
            return None;
        }
        let mut slot = self.slot(bucket);
        while let Some((found, row)) = self.slots[slot] {
            if found == bucket {
                return Some(row);
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
        None
    }
}

impl Grams {
    /// Rows of the n-grams of characters of a word between its brackets.
    fn of_word(&self, word: &[u8], rows: &mut Vec<u32>) {
        let goes_on = |at: usize| word.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
        for start in (0..word.len()).filter(|start| !goes_on(*start)) {
            let (mut end, mut value) = (start, HASH_START);
            for length in 1..=self.max {
                if end == word.len() {
                    break;
                }
                let from = end;
                end += 1;
                while goes_on(end) {
                    end += 1;
                }
                value = hash(value, &word[from..end]);
                let bracket = length == 1 && (start == 0 || end == word.len());
                if length >= self.min && !bracket {
                    self.push(self.buckets.of(value), rows);
                }
            }
        }
    }

    /// Rows of word n-grams.
    fn of_words(&self, hashes: &[u32], rows: &mut Vec<u32>) {
        let signed = |hash: u32| i64::from(hash.cast_signed()).cast_unsigned();
        for (place, first) in hashes.iter().enumerate() {
            let mut value = signed(*first);
            for next in hashes.iter().skip(place + 1).take(self.word_ngrams.saturating_sub(1)) {
                value = value.wrapping_mul(116_049_371).wrapping_add(signed(*next));
                #[expect(clippy::cast_possible_truncation, reason = "a remainder of a number of 32 bits")]
                self.push((value % u64::from(self.buckets.count)) as u32, rows);
            }
        }
    }

    fn push(&self, bucket: u32, rows: &mut Vec<u32>) {
        match &self.kept {
            None => rows.push(self.words + bucket),
            Some(kept) => rows.extend(kept.row(bucket).map(|row| self.words + row)),
        }
    }
}

impl Quantized {
    fn read(file: &mut Fields<impl Read>) -> Result<Self, Wrong> {
        let has_norms = file.flag()?;
        let (rows, _columns) = (file.size()?, file.size()?);
        let size = count(file.i32()?)?;
        let codes = file.bytes(size)?;
        let vectors = Vectors::read(file)?;
        let norms = if has_norms { Some((file.bytes(rows)?, Vectors::read(file)?)) } else { None };
        if norms.as_ref().is_some_and(|(_, lengths)| lengths.width() != 1) {
            return Err("a row's length is one number".into());
        }
        if rows.checked_mul(vectors.parts) != Some(codes.len()) {
            return Err(format!("{rows} rows of {} parts have {} codes", vectors.parts, codes.len()));
        }
        Ok(Self { codes, vectors, norms, rows })
    }

    /// The parts of a row, each with the place where it begins, and the row's length.
    fn row(&self, row: usize) -> (impl Iterator<Item = (usize, &[f32])>, f32) {
        let parts = self.vectors.parts;
        let codes = self.codes.get(row * parts..(row + 1) * parts).unwrap_or_default();
        let vectors =
            codes.iter().enumerate().map(|(part, code)| (part * self.vectors.size, self.vectors.at(part, *code)));
        let norm = self
            .norms
            .as_ref()
            .map_or(1.0, |(codes, vectors)| codes.get(row).map_or(0.0, |code| vectors.at(0, *code)[0]));
        (vectors, norm)
    }

    /// The same rows, as numbers where they are not too many: adding them up is most of the work. Sums are the same, for the
    /// length is multiplied into each number either way.
    fn unpacked(self) -> Matrix {
        let width = self.vectors.width();
        let size = self.rows.saturating_mul(width);
        if size > UNPACKED {
            return Matrix::Quantized(self);
        }
        let mut values = vec![0.0; size];
        for (row, numbers) in values.chunks_exact_mut(width.max(1)).enumerate() {
            self.add(row, numbers);
        }
        Matrix::Plain { width, values }
    }

    fn add(&self, row: usize, sum: &mut [f32]) {
        let (parts, norm) = self.row(row);
        for (start, part) in parts {
            for (value, of_part) in sum[start..].iter_mut().zip(part) {
                *value += norm * of_part;
            }
        }
    }

    fn dot(&self, row: usize, vector: &[f32]) -> f32 {
        let (parts, norm) = self.row(row);
        let products = parts.flat_map(|(start, part)| vector[start..].iter().zip(part).map(|(one, other)| one * other));
        products.sum::<f32>() * norm
    }
}

impl Vectors {
    fn read(file: &mut Fields<impl Read>) -> Result<Self, Wrong> {
        let (width, parts) = (count(file.i32()?)?, count(file.i32()?)?);
        let (size, last_size) = (count(file.i32()?)?, count(file.i32()?)?);
        if parts == 0 || (parts - 1) * size + last_size != width {
            return Err(format!("{parts} parts of {size}, the last of {last_size}, are not {width} numbers"));
        }
        Ok(Self { parts, size, last_size, values: file.floats(width * TABLE)? })
    }

    fn width(&self) -> usize {
        (self.parts - 1) * self.size + self.last_size
    }

    fn at(&self, part: usize, code: u8) -> &[f32] {
        let size = if part + 1 == self.parts { self.last_size } else { self.size };
        let start = part * TABLE * self.size + usize::from(code) * size;
        &self.values[start..start + size]
    }
}

impl Matrix {
    fn read(file: &mut Fields<impl Read>) -> Result<Self, Wrong> {
        let (rows, width) = (file.size()?, file.size()?);
        let size = rows.checked_mul(width).ok_or("a matrix is larger than any memory")?;
        Ok(Self::Plain { width, values: file.floats(size)? })
    }

    fn width(&self) -> usize {
        match self {
            Self::Plain { width, .. } => *width,
            Self::Quantized(matrix) => matrix.vectors.width(),
        }
    }

    fn rows(&self) -> usize {
        match self {
            Self::Plain { width, values } => values.len() / (*width).max(1),
            Self::Quantized(matrix) => matrix.rows,
        }
    }

    fn add(&self, row: usize, sum: &mut [f32]) {
        match self {
            Self::Plain { width, values } => {
                let numbers = values.get(row * width..(row + 1) * width).unwrap_or_default();
                sum.iter_mut().zip(numbers).for_each(|(value, number)| *value += number);
            }
            Self::Quantized(matrix) => matrix.add(row, sum),
        }
    }

    fn dot(&self, row: usize, vector: &[f32]) -> f32 {
        match self {
            Self::Plain { width, values } => {
                values[row * width..(row + 1) * width].iter().zip(vector).map(|(one, other)| one * other).sum()
            }
            Self::Quantized(matrix) => matrix.dot(row, vector),
        }
    }
}

/// Words, labels with their counts, and the n-grams that were kept.
struct Dictionary {
    words: Words,
    labels: Vec<String>,
    counts: Vec<i64>,
    kept: Option<Vec<(u32, u32)>>,
}

impl Dictionary {
    fn read(file: &mut Fields<impl Read>) -> Result<Self, Wrong> {
        let size = count(file.i32()?)?;
        let (_words, _labels, _tokens) = (file.i32()?, file.i32()?, file.i64()?);
        let kept_size = file.i64()?;
        let mut dictionary = Self { words: Words::default(), labels: Vec::new(), counts: Vec::new(), kept: None };
        for _ in 0..size {
            let (name, times) = (file.name()?, file.i64()?);
            if file.bytes(1)?[0] == 0 {
                let row = u32::try_from(dictionary.words.len()).map_err(|_| "too many words".to_owned())?;
                dictionary.words.insert(name.into(), row);
            } else {
                let name = String::from_utf8(name).map_err(|_| "a label is not UTF-8".to_owned())?;
                dictionary.labels.push(name.strip_prefix("__label__").unwrap_or(&name).to_owned());
                dictionary.counts.push(times);
            }
        }
        if dictionary.labels.is_empty() {
            return Err("the model has no label".into());
        }
        if let Ok(kept_size) = usize::try_from(kept_size) {
            let pairs = (0..kept_size).map(|_| Ok((file.i32()?.cast_unsigned(), file.i32()?.cast_unsigned())));
            dictionary.kept = Some(pairs.collect::<Result<_, Wrong>>()?);
        }
        Ok(dictionary)
    }
}

fn count(number: i32) -> Result<usize, Wrong> {
    usize::try_from(number).map_err(|_| format!("{number} is no count"))
}

/// The numbers of a file, little end first.
struct Fields<R>(R);

impl<R: Read> Fields<R> {
    /// That many bytes, which need not be there.
    fn bytes(&mut self, size: usize) -> Result<Vec<u8>, Wrong> {
        let mut bytes = Vec::new();
        let read = (&mut self.0).take(size as u64).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        if read == size { Ok(bytes) } else { Err("the file is cut short".into()) }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Wrong> {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes).map_err(|_| "the file is cut short".to_owned())?;
        Ok(bytes)
    }

    fn i32(&mut self) -> Result<i32, Wrong> {
        self.array().map(i32::from_le_bytes)
    }

    fn i64(&mut self) -> Result<i64, Wrong> {
        self.array().map(i64::from_le_bytes)
    }

    fn size(&mut self) -> Result<usize, Wrong> {
        let number = self.i64()?;
        usize::try_from(number).map_err(|_| format!("{number} is no size"))
    }

    fn flag(&mut self) -> Result<bool, Wrong> {
        self.array::<1>().map(|[byte]| byte != 0)
    }

    fn floats(&mut self, size: usize) -> Result<Vec<f32>, Wrong> {
        let bytes = self.bytes(size.checked_mul(4).ok_or("a table is larger than any memory")?)?;
        Ok(bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
    }

    /// Bytes up to a zero.
    fn name(&mut self) -> Result<Vec<u8>, Wrong> {
        let mut name = Vec::new();
        loop {
            match self.array::<1>()? {
                [0] => return Ok(name),
                [byte] => name.push(byte),
            }
        }
    }
}

//! fastText models that are made here, byte by byte, so that what a reader should find in them is known: plain and quantized matrices, pruned
//! n-grams, softmax and the tree of hierarchical softmax.
//!
//! Source: `FastText::saveModel` of fastText 0.9, version 12 of the format.

use super::{model::FastTextModel, vocabulary::Buffers};

/// A model, as it will be written.
#[derive(Clone)]
pub struct Made {
    pub word_ngrams: i32,
    pub loss: i32,
    pub buckets: i32,
    /// The lengths of n-grams of characters, from and to.
    pub grams: [i32; 2],
    pub words: Vec<&'static str>,
    pub labels: Vec<(&'static str, i64)>,
    pub kept: Option<Vec<(i32, i32)>>,
    pub input: Rows,
    pub output: Rows,
}

/// A matrix of three columns.
#[derive(Clone)]
pub enum Rows {
    Plain(Vec<[f32; 3]>),
    /// For each row the places of its two parts, and of its length where rows have one.
    Quantized(Vec<([u8; 2], Option<u8>)>),
}

pub const HIERARCHICAL: i32 = 1;
const SOFTMAX: i32 = 3;

/// What stands at a place of the tables: of the first part two numbers, of the second one, and the length.
fn first(code: u8) -> [f32; 2] {
    [f32::from(code) / 64.0 - 1.0, 0.5 - f32::from(code) / 128.0]
}

fn second(code: u8) -> f32 {
    f32::from(code) / 32.0 - 3.0
}

fn length(code: u8) -> f32 {
    f32::from(code) / 100.0
}

impl Rows {
    /// The numbers that the rows stand for.
    fn numbers(&self) -> Vec<[f32; 3]> {
        match self {
            Self::Plain(rows) => rows.clone(),
            Self::Quantized(rows) => rows
                .iter()
                .map(|([one, other], norm)| {
                    let norm = norm.map_or(1.0, length);
                    [norm * first(*one)[0], norm * first(*one)[1], norm * second(*other)]
                })
                .collect(),
        }
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        let numbers = |bytes: &mut Vec<u8>, numbers: &[f32]| {
            numbers.iter().for_each(|number| bytes.extend(number.to_le_bytes()));
        };
        let settings = |bytes: &mut Vec<u8>, settings: [i32; 4]| {
            settings.iter().for_each(|setting| bytes.extend(setting.to_le_bytes()));
        };
        match self {
            Self::Plain(rows) => {
                bytes.push(0);
                bytes.extend(i64::try_from(rows.len()).expect("they are few").to_le_bytes());
                bytes.extend(3i64.to_le_bytes());
                rows.iter().for_each(|row| numbers(bytes, row));
            }
            Self::Quantized(rows) => {
                let has_norms = rows.iter().any(|(_, norm)| norm.is_some());
                bytes.extend([1, u8::from(has_norms)]);
                bytes.extend(i64::try_from(rows.len()).expect("they are few").to_le_bytes());
                bytes.extend(3i64.to_le_bytes());
                bytes.extend(i32::try_from(2 * rows.len()).expect("they are few").to_le_bytes());
                rows.iter().for_each(|(codes, _)| bytes.extend(codes));
                settings(bytes, [3, 2, 2, 1]);
                (0..=u8::MAX).for_each(|code| numbers(bytes, &first(code)));
                (0..=u8::MAX).for_each(|code| numbers(bytes, &[second(code)]));
                if has_norms {
                    bytes.extend(rows.iter().map(|(_, norm)| norm.unwrap_or_default()));
                    settings(bytes, [1, 1, 1, 1]);
                    (0..=u8::MAX).for_each(|code| numbers(bytes, &[length(code)]));
                }
            }
        }
    }
}

impl Made {
    /// A model of four words and two labels under a softmax.
    pub fn small() -> Self {
        Self {
            word_ngrams: 1,
            loss: SOFTMAX,
            buckets: 0,
            grams: [0, 0],
            words: vec!["</s>", "sea", "ship", "tax"],
            labels: vec![("good", 3), ("bad", 2)],
            kept: None,
            input: Rows::Plain(vec![[0.0; 3], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
            output: Rows::Plain(vec![[2.0, 0.0, -1.0], [0.0, 2.0, 1.0]]),
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let [min, max] = self.grams;
        let settings = [793_712_314, 12, 3, 5, 5, 1, 5, self.word_ngrams, self.loss, 3, self.buckets, min, max, 100];
        settings.iter().for_each(|setting| bytes.extend(setting.to_le_bytes()));
        bytes.extend(1e-4f64.to_le_bytes());
        let (words, labels) = (self.words.len(), self.labels.len());
        for count in [words + labels, words, labels] {
            bytes.extend(i32::try_from(count).expect("they are few").to_le_bytes());
        }
        bytes.extend(100i64.to_le_bytes());
        bytes.extend(
            self.kept.as_ref().map_or(-1, |kept| i64::try_from(kept.len()).expect("they are few")).to_le_bytes(),
        );
        let words = self.words.iter().map(|word| ((*word).to_owned(), 10, 0));
        let labels = self.labels.iter().map(|(label, count)| (format!("__label__{label}"), *count, 1));
        for (name, count, kind) in words.chain(labels) {
            bytes.extend(name.as_bytes());
            bytes.push(0);
            bytes.extend(i64::to_le_bytes(count));
            bytes.push(kind);
        }
        for (bucket, row) in self.kept.iter().flatten() {
            bytes.extend(bucket.to_le_bytes());
            bytes.extend(row.to_le_bytes());
        }
        self.input.write(&mut bytes);
        self.output.write(&mut bytes);
        bytes
    }

    pub fn read(&self) -> FastTextModel {
        FastTextModel::read(self.bytes().as_slice()).expect("it is a model")
    }

    /// The likeliest label of a text of known words, and its probability.
    pub fn says(&self, text: &str) -> (String, f64) {
        let (model, mut buffers) = (self.read(), Buffers::default());
        let (label, probability) = model.identify(text, &mut buffers).expect("it knows a word");
        (label.to_owned(), f64::from(probability))
    }

    /// The mean of the rows of some words and of the line's end.
    fn mean(&self, text: &str) -> [f64; 3] {
        let rows = self.input.numbers();
        let words: Vec<&str> = text.split(' ').chain(["</s>"]).collect();
        let row = |word: &&str| rows[self.words.iter().position(|known| known == word).expect("it is known")];
        [0, 1, 2].map(|column| words.iter().map(|word| f64::from(row(word)[column])).sum::<f64>() / words.len() as f64)
    }

    /// What the rows of the output give for a text.
    pub fn logits(&self, text: &str) -> Vec<f64> {
        let mean = self.mean(text);
        let dot = |row: &[f32; 3]| row.iter().zip(mean).map(|(one, other)| f64::from(*one) * other).sum();
        self.output.numbers().iter().map(dot).collect()
    }
}

//! Labelled examples of a source, as ids in memory.
//!
//! Labelled data is small: SST-2 has 67,349 remarks with some 9 tokens each, MNLI 392,702 pairs with some 40. What is held is 4 bytes for a
//! token, 8 for a sequence and 8 for an example: 69 MB for MNLI. Texts are in memory for some megabytes at a time.
//!
//! Where a source has no files for validation, a share of its examples is drawn by hash of their texts, so that the same example is never on
//! both sides.
//!
//! Useful for: data that people labelled. Not useful for: corpora, whose ids stay on disk; see [`super::TokenCache`].

use std::path::Path;

use xxhash_rust::xxh3::Xxh3;

use super::{
    Cut, Example, ExampleKind, ReadOptions, SequenceEncoder, Shuffle,
    by_length::Lengths,
    labelled_rows::{LabelledRow, LabelledRows},
    split_reader::{JUDGE, Sides, SplitReader},
    weighted::Countable,
};
use crate::error::Result;

/// More classes than this are taken for a mistake.
const MOST_CLASSES: usize = 1 << 16;
/// Stands for a label that is not known.
const UNKNOWN: u32 = u32::MAX;

/// Examples in the order of their files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Examples {
    ids: Vec<u32>,
    /// Where each sequence ends among the ids.
    sequence_ends: Vec<u64>,
    /// Where each example ends among the sequences.
    example_ends: Vec<u32>,
    labels: Vec<u32>,
    /// What rows are called, as far as one has a name that is kept.
    names: Vec<Option<String>>,
    cut: Cut,
}

impl Examples {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.labels.len()
    }

    /// Tokens of all sequences.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.ids.len()
    }

    /// Sequences of all examples.
    #[must_use]
    pub fn sequences(&self) -> usize {
        self.sequence_ends.len()
    }

    /// What was cut off sequences that were too long.
    #[must_use]
    pub fn cut(&self) -> Cut {
        self.cut
    }

    /// The example of a number.
    #[must_use]
    pub fn get(&self, number: usize) -> Example<'_> {
        let before = |ends: &[u32]| number.checked_sub(1).map_or(0, |before| ends[before]) as usize;
        let sequences = before(&self.example_ends)..self.example_ends[number] as usize;
        let place = |end: u64| usize::try_from(end).expect("ids are in memory");
        let ids = |sequence: usize| {
            let begin = sequence.checked_sub(1).map_or(0, |before| self.sequence_ends[before]);
            &self.ids[place(begin)..place(self.sequence_ends[sequence])]
        };
        Example { sequences: sequences.map(ids).collect(), label: self.label(number) }
    }

    /// The label of an example, where it is known.
    #[must_use]
    pub fn label(&self, number: usize) -> Option<u32> {
        Some(self.labels[number]).filter(|label| *label != UNKNOWN)
    }

    /// What the row of an example is called, where it has an id and that was kept.
    #[must_use]
    pub fn name(&self, number: usize) -> Option<&str> {
        self.names.get(number)?.as_deref()
    }

    /// The tokens of the longest sequence of an example.
    #[must_use]
    pub fn longest(&self, number: usize) -> usize {
        self.get(number).sequences.iter().map(|ids| ids.len()).max().unwrap_or(0)
    }

    /// One more than the largest label.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.labels.iter().filter(|label| **label != UNKNOWN).max().map_or(0, |largest| *largest as usize + 1)
    }

    /// How many examples each class has.
    #[must_use]
    pub fn by_class(&self, classes: usize) -> Vec<u64> {
        let mut counts = vec![0; classes];
        for label in self.labels.iter().filter(|label| **label != UNKNOWN) {
            counts[*label as usize] += 1;
        }
        counts
    }

    /// The numbers of a random sample of `most` examples, or of all, in rising order: the same each time.
    #[must_use]
    pub fn sample(&self, seed: u64, most: usize) -> Vec<usize> {
        sample(self.count(), seed, most)
    }

    /// XXH3-128 over the ids and labels of some examples, as 32 hexadecimal digits.
    #[must_use]
    pub fn hash(&self, numbers: &[usize]) -> String {
        let mut hash = Xxh3::new();
        for number in numbers {
            let Example { sequences, label } = self.get(*number);
            hash.update(&label.unwrap_or(UNKNOWN).to_le_bytes());
            hash.update(&(sequences.len() as u64).to_le_bytes());
            for ids in sequences {
                hash.update(&(ids.len() as u64).to_le_bytes());
                ids.iter().for_each(|id| hash.update(&id.to_le_bytes()));
            }
        }
        format!("{:032x}", hash.digest128())
    }

    /// Adds the examples of another source behind these.
    pub fn append(&mut self, other: Self) {
        let (ids, sequences) = (self.ids.len() as u64, self.sequence_ends.len());
        let sequences = u32::try_from(sequences).expect("sequences in memory can be numbered");
        self.ids.extend(other.ids);
        self.sequence_ends.extend(other.sequence_ends.iter().map(|end| ids + end));
        self.example_ends.extend(other.example_ends.iter().map(|end| sequences + end));
        if !other.names.is_empty() {
            self.names.resize(self.count(), None);
            self.names.extend(other.names);
        }
        self.labels.extend(other.labels);
        self.cut.sequences += other.cut.sequences;
        self.cut.tokens += other.cut.tokens;
    }

    fn push(&mut self, sequences: Vec<(Vec<u32>, usize)>, label: Option<u32>, name: Option<String>) {
        for (ids, cut) in sequences {
            self.cut.sequences += u64::from(cut > 0);
            self.cut.tokens += cut as u64;
            self.ids.extend(ids);
            self.sequence_ends.push(self.ids.len() as u64);
        }
        self.example_ends.push(u32::try_from(self.sequence_ends.len()).expect("sequences can be numbered"));
        if name.is_some() {
            self.names.resize(self.count(), None);
            self.names.push(name);
        }
        self.labels.push(label.unwrap_or(UNKNOWN));
    }
}

impl Countable for Examples {
    fn count(&self) -> u64 {
        self.count() as u64
    }
}

impl Lengths for Examples {
    /// That of its longest sequence.
    fn length(&self, number: u64) -> u64 {
        self.longest(usize::try_from(number).expect("examples are in memory")) as u64
    }
}

/// What labels rows have to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelRule {
    /// Every row has one.
    Required,
    /// A row may have none, or -1, as data sets on the Hub mark what is kept secret.
    Optional,
}

/// Reads examples.
#[derive(Debug, Clone, Copy)]
pub struct ExamplesReader<'e> {
    /// Turns sequences into ids.
    pub encoder: &'e SequenceEncoder<'e>,
    /// What the sequences of an example are to each other.
    pub kind: ExampleKind,
    /// How many classes there are, where that is known.
    pub classes: Option<usize>,
    /// What labels rows have to have.
    pub labels: LabelRule,
    /// How files are read.
    pub options: ReadOptions,
}

impl SplitReader for ExamplesReader<'_> {
    type Rows = Examples;

    fn options(&self) -> ReadOptions {
        self.options
    }

    /// Each example goes to the side that the hash of its texts says.
    fn read(&self, file: &Path, sides: &mut Sides<Examples>, side: &dyn Fn(u64) -> usize) -> Result<u64> {
        let mut rows = LabelledRows::open(file, self.options)?;
        while let Some(few) = rows.next_few()? {
            self.few(&rows, few, sides, side)?;
        }
        Ok(rows.lost())
    }
}

impl ExamplesReader<'_> {
    fn few(
        &self,
        rows: &LabelledRows,
        few: Vec<LabelledRow>,
        sides: &mut Sides<Examples>,
        side: &dyn Fn(u64) -> usize,
    ) -> Result<()> {
        let texts: Vec<&str> = few.iter().flat_map(|row| &row.sequences).map(String::as_str).collect();
        let mut encoded = self.encoder.encode(&texts)?.into_iter();
        for LabelledRow { number, id, sequences, label } in few {
            let fault = |message: String| rows.fault(number, &message);
            if let Some(message) = self.kind.fault(sequences.len()) {
                return Err(fault(message));
            }
            let label = self.label(label, sequences.len()).map_err(fault)?;
            let ids = encoded.by_ref().take(sequences.len()).enumerate().map(|(place, ids)| {
                ids.map_err(|message| fault(format!("item {} of `sequences`: {message}", place + 1)))
            });
            let ids = ids.collect::<Result<Vec<_>>>()?;
            let side = side(hash(&sequences));
            sides[side].push(ids, label, id.filter(|_| side == JUDGE));
        }
        Ok(())
    }

    /// A label, checked; or what is wrong with it.
    fn label(&self, label: Option<i64>, sequences: usize) -> Result<Option<u32>, String> {
        let label = match (label, self.labels) {
            (None, LabelRule::Required) => return Err("`label` is null, or not there".into()),
            (None | Some(-1), LabelRule::Optional) => return Ok(None),
            (Some(..0), _) => return Err(format!("`label` is {}, and labels count from 0", label.unwrap_or_default())),
            (Some(label), _) => label,
        };
        let choices = match self.kind {
            ExampleKind::Classification => self.classes.unwrap_or(MOST_CLASSES),
            ExampleKind::MultipleChoice => sequences,
        };
        match u32::try_from(label) {
            Ok(number) if (number as usize) < choices => Ok(Some(number)),
            _ => {
                let what = match self.kind {
                    ExampleKind::Classification => "classes",
                    ExampleKind::MultipleChoice => "alternatives",
                };
                Err(format!("`label` is {label}, and of {choices} {what} the last is {}", choices - 1))
            }
        }
    }
}

/// The numbers of a random sample of `most` of `count` examples, or of all, in rising order.
pub(super) fn sample(count: usize, seed: u64, most: usize) -> Vec<usize> {
    if count <= most {
        return (0..count).collect();
    }
    let shuffle = Shuffle::new(seed, "examples to judge by", count as u64);
    let number = |place: usize| usize::try_from(shuffle.at(place as u64)).expect("a number below the count");
    let mut drawn: Vec<usize> = (0..most).map(number).collect();
    drawn.sort_unstable();
    drawn
}

/// The hash of an example's texts, by which its split is drawn.
fn hash(sequences: &[String]) -> u64 {
    let mut hash = Xxh3::new();
    for text in sequences {
        hash.update(&(text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    }
    hash.digest()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::tokenizer::Tokenizer;

    fn tokenizer(folder: &Path) -> Tokenizer {
        let trained = Tokenizer::train(["the cat sat"; 20].into_iter(), 270, 0, &folder.join("tokenizer.json"));
        let trained = trained.expect("the texts suffice");
        trained.with_special_tokens(&SequenceEncoder::MARKS, 0).expect("they can be added").0
    }

    fn read(kind: ExampleKind, classes: Option<usize>, labels: LabelRule, lines: &str) -> Result<Examples> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let tokenizer = tokenizer(folder.path());
        let encoder = SequenceEncoder::new(&tokenizer, 8)?;
        let path = folder.path().join("rows.jsonl");
        fs::write(&path, lines).expect("it can be written");
        let reader = ExamplesReader { encoder: &encoder, kind, classes, labels, options: ReadOptions::default() };
        reader.file(&path, &mut Vec::new())
    }

    /// A line of sequences, with the marks around each.
    fn line(sequences: &[&str], label: &str) -> String {
        let texts: Vec<String> = sequences.iter().map(|text| format!("\"<|start|>{text}<|extract|>\"")).collect();
        format!("{{\"id\": \"{label}\", \"sequences\": [{}], \"label\": {label}}}\n", texts.join(", "))
    }

    #[test]
    fn examples_are_as_they_were_written() -> Result<()> {
        use ExampleKind::{Classification, MultipleChoice};
        let lines = [line(&["the cat"], "2"), line(&["a", "the cat sat the cat sat on and on"], "0")].concat();
        let mut examples = read(Classification, None, LabelRule::Required, &lines)?;
        assert_eq!((examples.count(), examples.sequences(), examples.classes()), (2, 3, 3));
        assert_eq!(examples.by_class(3), [1, 0, 1]);
        assert_eq!((examples.name(0), examples.label(0)), (Some("2"), Some(2)));
        let Example { sequences, label } = examples.get(1);
        assert_eq!((sequences.len(), label, sequences[1].len()), (2, Some(0), 8), "the second is cut to what fits");
        assert_eq!((sequences[0][0], sequences[0].last()), (sequences[1][0], sequences[1].last()));
        assert!(examples.cut().sequences == 1 && examples.cut().tokens > 0, "{:?}", examples.cut());
        let (first, all) = (examples.hash(&[0]), examples.clone());
        examples.append(all);
        assert_eq!((examples.get(3), examples.name(3)), (examples.get(1), Some("0")));
        assert_eq!((examples.hash(&[2]), examples.hash(&[2]) == examples.hash(&[3])), (first, false));
        let unknown = [line(&["a", "b"], "null"), line(&["a", "b"], "-1"), line(&["a", "b"], "1")].concat();
        let examples = read(MultipleChoice, None, LabelRule::Optional, &unknown)?;
        assert_eq!([0, 1, 2].map(|number| examples.label(number)), [None, None, Some(1)]);
        Ok(())
    }

    /// A row that is no example is named with its place, and what it has.
    #[test]
    fn a_row_at_fault_is_named() {
        use ExampleKind::{Classification, MultipleChoice};
        let sound = line(&["a", "b"], "1");
        for (kind, classes, row, message) in [
            (Classification, None, line(&["a"], "null"), "line 2: `label` is null, or not there"),
            (Classification, None, line(&["a"], "-1"), "line 2: `label` is -1, and labels count from 0"),
            (Classification, Some(2), line(&["a"], "2"), "line 2: `label` is 2, and of 2 classes the last is 1"),
            (Classification, None, line(&["a", "b", "c"], "0"), "line 2: it has 3 sequences, and with `kind = "),
            (MultipleChoice, None, line(&["a", "b"], "2"), "line 2: `label` is 2, and of 2 alternatives the last is 1"),
            (MultipleChoice, None, line(&["a"], "0"), "line 2: it has 1 sequence, and with `kind = "),
            (
                Classification,
                None,
                "{\"sequences\": [\"<|start|>a\"], \"label\": 0}".into(),
                "line 2: item 1 of `sequences`: it does not end with `<|extract|>`, at which the head reads",
            ),
        ] {
            let error = read(kind, classes, LabelRule::Required, &format!("{sound}{row}")).expect_err("it is none");
            assert!(error.to_string().contains(message), "{error}");
        }
    }
}

//! fastText models that are made here, byte by byte, so that what a reader should find in them is known: plain and quantized matrices, pruned
//! n-grams, softmax and the tree of hierarchical softmax.
//!
//! Source: `FastText::saveModel` of fastText 0.9, version 12 of the format.

use super::fasttext_model::{Buffers, FastTextModel};

/// A model, as it will be written.
#[derive(Clone)]
struct Made {
    word_ngrams: i32,
    loss: i32,
    buckets: i32,
    /// The lengths of n-grams of characters, from and to.
    grams: [i32; 2],
    words: Vec<&'static str>,
    labels: Vec<(&'static str, i64)>,
    kept: Option<Vec<(i32, i32)>>,
    input: Rows,
    output: Rows,
}

/// A matrix of three columns.
#[derive(Clone)]
enum Rows {
    Plain(Vec<[f32; 3]>),
    /// For each row the places of its two parts, and of its length where rows have one.
    Quantized(Vec<([u8; 2], Option<u8>)>),
}

const HIERARCHICAL: i32 = 1;
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
    fn small() -> Self {
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

    fn bytes(&self) -> Vec<u8> {
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

    fn read(&self) -> FastTextModel {
        FastTextModel::read(self.bytes().as_slice()).expect("it is a model")
    }

    /// The likeliest label of a text of known words, and its probability.
    fn says(&self, text: &str) -> (String, f64) {
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
    fn logits(&self, text: &str) -> Vec<f64> {
        let mean = self.mean(text);
        let dot = |row: &[f32; 3]| row.iter().zip(mean).map(|(one, other)| f64::from(*one) * other).sum();
        self.output.numbers().iter().map(dot).collect()
    }
}

fn sigmoid(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

#[track_caller]
fn assert_says(made: &Made, text: &str, label: &str, probability: f64) {
    let (found, said) = made.says(text);
    assert_eq!(found, label, "{text}");
    assert!((said - probability).abs() < 1e-4, "{text}: {said}, and not {probability}");
}

#[test]
fn a_softmax_is_the_one_of_paper_and_pencil() {
    // the mean is (0.5, 0.25, 0), the logits are 1 and 0.5
    assert_says(&Made::small(), "sea sea ship", "good", sigmoid(0.5));
    // the mean is (0, 0, 0.5), the logits are -0.5 and 0.5
    assert_says(&Made::small(), "tax", "bad", sigmoid(1.0));
}

/// A quantized matrix says what the numbers say that it stands for, with and without lengths, as input and as output.
#[test]
fn a_quantized_model_says_what_its_numbers_say() {
    let input = Rows::Quantized(vec![
        ([64, 96], Some(50)),
        ([255, 10], Some(180)),
        ([3, 200], Some(90)),
        ([120, 255], Some(255)),
    ]);
    let output = Rows::Quantized(vec![([250, 12], None), ([7, 201], None)]);
    for (input, output) in
        [(input.clone(), Made::small().output), (Made::small().input, output.clone()), (input, output)]
    {
        let made = Made { input, output, ..Made::small() };
        for text in ["sea", "ship", "tax", "sea sea ship", "tax ship tax"] {
            let logits = made.logits(text);
            let (label, odds) =
                if logits[0] > logits[1] { ("good", logits[0] - logits[1]) } else { ("bad", logits[1] - logits[0]) };
            assert_says(&made, text, label, sigmoid(odds));
            // and the model of one label against the other, whose rows are single numbers
            let linear = made.read().linear(0).expect("it has two labels");
            let found = linear.read(text, &mut Buffers::default()).0.expect("it knows a word");
            assert!((found - (logits[0] - logits[1])).abs() < 1e-5, "{text}: {found}, {logits:?}");
        }
    }
}

/// Of pruned n-grams of characters those count that were kept, and no others.
#[test]
fn kept_runs_of_characters_count() {
    // the buckets of `<a`, `ab` and `b>`, by FNV-1a
    let bucket = |gram: &str| {
        let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(16_777_619);
        i32::try_from(gram.bytes().fold(2_166_136_261, step) % 1000).expect("it is below a thousand")
    };
    let rows = |kept: Option<Vec<(i32, i32)>>, more: Vec<[f32; 3]>| {
        let Rows::Plain(mut input) = Made::small().input else { unreachable!("the small model is plain") };
        input.extend(more);
        Made { buckets: 1000, grams: [2, 2], kept, input: Rows::Plain(input), ..Made::small() }
    };
    let pruned = rows(Some(vec![(bucket("ab"), 0), (bucket("b>"), 1)]), vec![[3.0, 0.0, 0.0], [0.0, 0.0, 9.0]]);
    // `ab` is no word: rows of `ab`, of `b>` and of the end; the mean is (1, 0, 3)
    assert_says(&pruned, "ab", "bad", sigmoid(4.0));
    let mut all = vec![[0.0; 3]; 1000];
    for (gram, row) in [("ab", [3.0, 0.0, 0.0]), ("b>", [0.0, 0.0, 9.0]), ("<a", [0.0, 0.0, -15.0])] {
        all[usize::try_from(bucket(gram)).expect("a bucket is not negative")] = row;
    }
    // with a row for every bucket `<a` counts, too: the mean is (0.75, 0, -1.5)
    assert_says(&rows(None, all), "ab", "good", sigmoid(4.5));
}

/// Labels under hierarchical softmax, each with the product of the turns that lead to it.
#[test]
fn a_tree_of_labels_gives_the_product_of_its_turns() {
    // by counts: (d, c), then b, then a: right at the root is a, left and right is b, twice left and right is c
    let made = Made {
        loss: HIERARCHICAL,
        labels: vec![("a", 8), ("b", 4), ("c", 2), ("d", 1)],
        output: Rows::Plain(vec![[4.0, -3.0, 1.0], [-2.0, 5.0, -6.0], [-3.0, -4.0, 8.0], [0.0; 3]]),
        ..Made::small()
    };
    let mut seen = std::collections::BTreeSet::new();
    for text in ["sea", "ship", "tax", "sea ship", "sea sea ship tax", "ship ship ship sea", "ship ship ship"] {
        let right: Vec<f64> = made.logits(text).into_iter().map(sigmoid).collect();
        let left = |node: usize| 1.0 - right[node];
        let all = [
            ("a", right[2]),
            ("b", left(2) * right[1]),
            ("c", left(2) * left(1) * right[0]),
            ("d", left(2) * left(1) * left(0)),
        ];
        assert!((all.iter().map(|(_, share)| share).sum::<f64>() - 1.0).abs() < 1e-12);
        let (label, probability) =
            all.into_iter().max_by(|one, other| one.1.total_cmp(&other.1)).expect("there are four");
        assert_says(&made, text, label, probability);
        seen.insert(label);
    }
    assert!(seen.len() >= 3, "the texts tell labels apart: {seen:?}");
    assert!(made.read().linear(0).is_none(), "a tree has no log-odds of one label");
}

/// A model that the crate trained with a tree, read here: the same labels with the same probabilities.
#[test]
fn a_trained_tree_is_read_as_the_crate_reads_it() {
    use std::io::Write as _;

    let mut lines = tempfile::NamedTempFile::new().expect("the temporary folder can be written");
    let kinds = ["sail mast harbour", "flour yeast oven", "ball goal referee", "court judge oath", "seed soil rain"];
    for number in 0..300usize {
        // the first kinds are the most frequent, so that the tree is not even
        let kind = [0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 4][number % 11];
        let words: Vec<&str> = kinds[kind].split(' ').collect();
        let (one, other) = (words[number % 3], words[number / 3 % 3]);
        writeln!(lines, "__label__{kind} the {one} and a {other} of day {}", number % 5).expect("it can be written");
    }
    lines.flush().expect("it can be written");
    let mut settings = fasttext::args::Args { input: lines.path().to_owned(), ..fasttext::args::Args::new() };
    settings.apply_supervised_defaults();
    let settings = fasttext::args::Args {
        dim: 6,
        epoch: 15,
        lr: 0.4,
        thread: 1,
        seed: 3,
        verbose: 0,
        loss: fasttext::args::LossName::HierarchicalSoftmax,
        ..settings
    };
    let trained = fasttext::FastText::train(settings).expect("it can be trained");
    let mut file = Vec::new();
    trained.save(&mut file).expect("memory is left");
    let (model, mut buffers) = (FastTextModel::read(file.as_slice()).expect("it is a model"), Buffers::default());
    for text in
        ["the sail of day 1", "yeast and flour", "a goal", "the judge and a court", "soil and rain", "the of and"]
    {
        let theirs = trained.predict(text, 1, 0.0).remove(0);
        let (label, probability) = model.identify(text, &mut buffers).expect("it knows a word");
        assert_eq!(theirs.label, format!("__label__{label}"), "{text}");
        assert!((theirs.prob - probability).abs() < 1e-4, "{text}: {} and {probability}", theirs.prob);
    }
}

/// A file that is cut or has a wrong bit is a model or is refused; reading it and asking it does not panic.
#[test]
fn a_damaged_model_is_refused_or_read() {
    let quantized =
        Rows::Quantized(vec![([64, 96], Some(50)), ([255, 10], Some(180)), ([3, 200], Some(90)), ([1, 2], Some(3))]);
    let tree =
        Made { loss: HIERARCHICAL, kept: Some(vec![]), buckets: 7, grams: [1, 2], input: quantized, ..Made::small() };
    for made in [Made::small(), tree] {
        let bytes = made.bytes();
        let head = bytes.len().min(400);
        for cut in 0..head {
            assert!(FastTextModel::read(&bytes[..cut]).is_err(), "{cut} bytes are no model");
        }
        for (place, bit) in (0..head).flat_map(|place| [0, 3, 7].map(|bit| (place, bit))) {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << bit;
            if let Ok(model) = FastTextModel::read(damaged.as_slice()) {
                model.identify("sea ship und ein Wort", &mut Buffers::default());
            }
        }
    }
}

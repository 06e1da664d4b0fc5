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

use std::io::Read;

use rayon::prelude::*;

use super::{
    buckets::{Buckets, Kept},
    dictionary::Dictionary,
    fields::{Fields, Wrong, count},
    grams::Grams,
    label_tree::LabelTree,
    linear::LinearModel,
    matrix::Matrix,
    quantized::Quantized,
    vocabulary::{Buffers, Vocabulary},
};

const MAGIC: i32 = 793_712_314;
const VERSION: i32 = 12;

/// A model.
pub struct FastTextModel {
    vocabulary: Vocabulary,
    labels: Vec<String>,
    input: Matrix,
    output: Matrix,
    loss: Loss,
}

enum Loss {
    Tree(LabelTree),
    Softmax,
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
        let input = if file.flag()? { Matrix::unpacked(Quantized::read(&mut file)?) } else { Matrix::read(&mut file)? };
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

#[cfg(test)]
mod tests {
    use super::{
        super::made::{HIERARCHICAL, Made, Rows},
        *,
    };

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
                let (label, odds) = if logits[0] > logits[1] {
                    ("good", logits[0] - logits[1])
                } else {
                    ("bad", logits[1] - logits[0])
                };
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
        let kinds =
            ["sail mast harbour", "flour yeast oven", "ball goal referee", "court judge oath", "seed soil rain"];
        for number in 0..300usize {
            // the first kinds are the most frequent, so that the tree is not even
            let kind = [0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 4][number % 11];
            let words: Vec<&str> = kinds[kind].split(' ').collect();
            let (one, other) = (words[number % 3], words[number / 3 % 3]);
            writeln!(lines, "__label__{kind} the {one} and a {other} of day {}", number % 5)
                .expect("it can be written");
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
        let quantized = Rows::Quantized(vec![
            ([64, 96], Some(50)),
            ([255, 10], Some(180)),
            ([3, 200], Some(90)),
            ([1, 2], Some(3)),
        ]);
        let tree = Made {
            loss: HIERARCHICAL,
            kept: Some(vec![]),
            buckets: 7,
            grams: [1, 2],
            input: quantized,
            ..Made::small()
        };
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
}

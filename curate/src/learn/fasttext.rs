//! fastText's classifier: trained by the crate, read and asked by our own reader, in files that the original reads.

use std::{
    fs::File,
    io::{BufReader, BufWriter, Write as _},
    path::Path,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fasttext_model::{Buffers, FastTextModel, LinearModel};
use crate::{
    error::{Error, Result},
    files::{HashedFile, Written},
    text::{draw::draw, unspaced},
};

/// How fastText is trained, read and scored.
pub const VERSION: crate::files::Version = crate::files::Version::new("learn/fasttext", 1);

/// The label of the reference, as DCLM calls it.
pub const POSITIVE: &str = "hq";
/// The label of the rest.
const NEGATIVE: &str = "cc";

/// How fastText is trained, by its own names. The defaults are DCLM's, which are the original's but for bigrams.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FastTextConfig {
    /// Size of word vectors.
    pub dim: u16,
    /// Number of epochs.
    pub epochs: u16,
    /// Learning rate at the start.
    pub lr: f64,
    /// Longest word n-gram.
    pub word_ngrams: u16,
    /// Number of buckets that word n-grams are hashed into. The model has a vector for each: 4 bytes a number.
    pub bucket: u32,
    /// Fewest times that a word occurs.
    pub min_count: u16,
    /// Threads that train side by side. More than one is faster, and does not give the same model again: the manifest says so.
    pub threads: u16,
    /// How texts are written down for it.
    pub text: LineForm,
}

/// How texts are written down for fastText, which knows nothing but white space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineForm {
    /// As they are.
    AsIs,
    /// In lower case, with spaces around punctuation, as the original's own examples prepare theirs.
    Plain,
    /// As `plain`, with spaces between words where a script puts none; see [`crate::text::unspaced`]. The same as `plain` for all others.
    Divided,
}

impl Default for FastTextConfig {
    /// Li et al. 2024 (DCLM), appendix; what is not said there is fastText's default, but that words are divided where a script does not.
    fn default() -> Self {
        Self {
            dim: 100,
            epochs: 5,
            lr: 0.1,
            word_ngrams: 2,
            bucket: 2_000_000,
            min_count: 1,
            threads: 1,
            text: LineForm::Divided,
        }
    }
}

impl LineForm {
    /// The text in one line.
    pub fn write(self, text: &str, line: &mut String) {
        line.clear();
        match self {
            Self::AsIs => {
                line.extend(text.chars().map(|letter| if matches!(letter, '\n' | '\r') { ' ' } else { letter }));
            }
            Self::Divided if unspaced::may_divide(text) => {
                for token in text.split_ascii_whitespace() {
                    unspaced::pieces(token, |start, end| {
                        plain(&token[start..end], line);
                        line.push(' ');
                    });
                }
            }
            Self::Plain | Self::Divided => plain(text, line),
        }
    }
}

fn plain(text: &str, line: &mut String) {
    for letter in text.chars() {
        match letter {
            '\n' | '\r' => line.push(' '),
            '.' | '!' | '?' | ',' | ';' | ':' | '\'' | '"' | '(' | ')' | '[' | ']' | '/' | '*' | '-' => {
                line.extend([' ', letter, ' ']);
            }
            letter if letter.is_ascii() => line.push(letter.to_ascii_lowercase()),
            letter => line.extend(letter.to_lowercase()),
        }
    }
}

/// A model and what it is asked.
pub struct FastTextClassifier {
    model: LinearModel,
    text: LineForm,
}

/// What is needed from text to text.
#[derive(Default)]
pub struct FastTextBuffers {
    line: String,
    buffers: Buffers,
}

impl FastTextClassifier {
    /// Loads a model, and looks for a label in it.
    ///
    /// # Errors
    /// When the file is no model, or has no such label.
    pub fn load(path: &Path, label: &str, text: LineForm) -> Result<Self> {
        let wrong = |message| Error::Model { path: path.to_owned(), message };
        let file = File::open(path).map_err(Error::file("read", path))?;
        let model = FastTextModel::read(BufReader::new(file)).map_err(wrong)?;
        let Some(number) = model.label(label) else {
            let labels = model.labels().join("`, `");
            return Err(wrong(format!("there is no label `{label}`; there are `{labels}`")));
        };
        let count = model.labels().len();
        match model.linear(number) {
            Some(model) => Ok(Self { model, text }),
            None => Err(wrong(format!(
                "a classifier has two labels under a softmax; this model has {count} labels, or a tree"
            ))),
        }
    }

    /// The log-odds of the label, 0 where no word has a row, and the share of the text's words and n-grams that the model knows.
    #[must_use]
    pub fn read(&self, text: &str, buffers: &mut FastTextBuffers) -> (f64, f64) {
        let FastTextBuffers { line, buffers } = buffers;
        self.text.write(text, line);
        let (log_odds, known) = self.model.read(line, buffers);
        (log_odds.unwrap_or_default(), known)
    }
}

/// Trains a model on chunks with labels, and publishes it.
///
/// The chunks come in an order that is drawn: the search takes one step after the other.
///
/// - `id`: what names a chunk, for the draw
///
/// # Errors
/// When a file cannot be written, or the search fails.
pub fn train<'p>(
    config: &FastTextConfig,
    name: &str,
    seed: u64,
    chunks: impl Iterator<Item = (String, &'p str, bool)>,
    path: &Path,
) -> Result<Written> {
    let failed = |message: String| Error::Classifier { name: name.to_owned(), message };
    let mut drawn: Vec<(u64, String, &str, bool)> =
        chunks.map(|(id, text, label)| (draw(seed, "fasttext", &id), id, text, label)).collect();
    drawn.sort_unstable();
    let file = tempfile::NamedTempFile::new().map_err(Error::file("make a file below", &std::env::temp_dir()))?;
    let write = Error::file("write", file.path());
    let mut output = BufWriter::new(file.as_file());
    let mut line = String::new();
    let written = drawn.iter().try_for_each(|(_, _, text, label)| {
        config.text.write(text, &mut line);
        write!(output, "__label__{}", if *label { POSITIVE } else { NEGATIVE })?;
        // what looks like a label, or like the end of a line, would be one
        let mut words = line.split_ascii_whitespace().filter(|word| !word.starts_with("__label__") && *word != "</s>");
        words.try_for_each(|word| write!(output, " {word}"))?;
        writeln!(output)
    });
    written.and_then(|()| output.flush()).map_err(write)?;
    drop(output);
    let mut settings = fasttext::args::Args { input: file.path().to_owned(), ..fasttext::args::Args::new() };
    settings.apply_supervised_defaults();
    settings.dim = config.dim.into();
    settings.epoch = config.epochs.into();
    settings.lr = config.lr;
    settings.word_ngrams = config.word_ngrams.into();
    settings.bucket = if config.word_ngrams > 1 { i32::try_from(config.bucket).unwrap_or(i32::MAX) } else { 0 };
    settings.min_count = config.min_count.into();
    settings.thread = config.threads.into();
    settings.verbose = 0;
    // 31 bits, for the crate's seed has a sign
    settings.seed = i32::try_from(draw(seed, "fasttext", "seed") >> 33).unwrap_or_default();
    let model = fasttext::FastText::train(settings).map_err(|error| failed(error.to_string()))?;
    let mut output = BufWriter::new(HashedFile::create(path)?);
    model.save(&mut output).map_err(|error| failed(error.to_string()))?;
    let file = output.into_inner().map_err(|error| Error::file("write", path)(error.into_error()))?;
    Ok(file.publish()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stand_alone_and_lines_are_one() {
        let mut line = String::new();
        LineForm::Plain.write("\"Don't,\"\nÉté", &mut line);
        assert_eq!(line.split_whitespace().collect::<Vec<_>>(), ["\"", "don", "'", "t", ",", "\"", "été"]);
        for text in ["\"Don't,\"\nÉté", "Smile… – “he said” – it’s"] {
            let words = |form: LineForm| {
                let mut line = String::new();
                form.write(text, &mut line);
                line.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>()
            };
            assert_eq!(words(LineForm::Divided), words(LineForm::Plain));
        }
        LineForm::Divided.write("雨落。\nฝนตกหนัก, GPT-3も", &mut line);
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        assert_eq!(words, ["雨", "落。", "ฝน", "ตกหนัก", ",", "gpt", "-", "3", "も"]);
        LineForm::AsIs.write("One,\nTwo", &mut line);
        assert_eq!(line, "One, Two");
    }

    /// On one thread the same chunks give the same file, and what it says of a text is what was trained.
    #[test]
    fn the_same_model_twice() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let chunks: Vec<(String, String, bool)> = (0..400)
            .map(|number| {
                let words = if number % 2 == 0 { "tide harbour sail" } else { "discount casino __label__pills" };
                (number.to_string(), format!("the {words} of day {}", number % 7), number % 2 == 0)
            })
            .collect();
        let config = FastTextConfig { dim: 10, bucket: 1000, epochs: 25, ..FastTextConfig::default() };
        let trained = |name: &str, seed| {
            let rows = chunks.iter().map(|(id, text, label)| (id.clone(), text.as_str(), *label));
            train(&config, "quality", seed, rows, &folder.path().join(name))
        };
        let (one, again, other) = (trained("one.bin", 1)?, trained("again.bin", 1)?, trained("other.bin", 2)?);
        assert_eq!(one.sha256, again.sha256);
        assert_ne!(one.sha256, other.sha256);
        let path = folder.path().join("one.bin");
        let model = FastTextClassifier::load(&path, POSITIVE, LineForm::Plain)?;
        let mut buffers = FastTextBuffers::default();
        assert!(model.read("A harbour, and a sail.", &mut buffers).0 > 0.5);
        assert!(model.read("casino discount", &mut buffers).0 < -0.5);
        // of three words two, of two bigrams one; of words that it never saw, and of none, nothing
        for (text, known) in [("the harbour ζ", 0.6), ("the harbour sail", 1.0), ("Η γέφυρα", 0.0), ("", 0.0)] {
            let found = model.read(text, &mut buffers).1;
            assert!((found - known).abs() < 1e-9, "{text}: {found}");
        }
        // the crate gives the same labels; its odds lack the n-grams that end a line, which the original has
        let original = fasttext::FastText::load_model(&path).expect("it is a model");
        for text in ["a harbour and a sail", "casino discount", "the day of the tide"] {
            let likeliest = original.predict(text, 1, 0.0).remove(0).label;
            let ours = if model.read(text, &mut buffers).0 > 0.0 { POSITIVE } else { NEGATIVE };
            assert_eq!(likeliest, format!("__label__{ours}"), "{text}");
        }
        let error = FastTextClassifier::load(&path, "good", LineForm::Plain).err().expect("there is no such label");
        assert!(error.to_string().contains("`hq`"), "{error}");
        Ok(())
    }
}

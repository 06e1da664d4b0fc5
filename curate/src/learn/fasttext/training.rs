//! Training fastText on chunks with labels, by the crate.

use std::{
    io::{BufWriter, Write as _},
    path::Path,
};

use super::config::FastTextConfig;
use crate::{
    error::{Error, Result},
    files::{HashedFile, Written},
    text::draw::draw,
};

/// The label of the reference, as DCLM calls it.
pub const POSITIVE: &str = "hq";
/// The label of the rest.
const NEGATIVE: &str = "cc";

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
    use super::{
        super::{FastTextBuffers, FastTextClassifier, LineForm},
        *,
    };

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

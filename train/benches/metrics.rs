//! How long scores of texts take.
//!
//! ```text
//! cargo bench --workspace --profile dev --bench metrics -- HYPOTHESES REFERENCES
//! ```
//!
//! Both files have a text on each line. Prints for each score its value and seconds on one thread; `peers/metrics_python.py` does the same with
//! `sacrebleu` and `rouge_score`.

#![expect(clippy::print_stdout, reason = "a benchmark's figures are its output")]

use std::{error::Error, fs, time::Instant};

use train::metrics::{Bleu, Chrf, Rouge, bleu::Tokenizer, bootstrap, mean};

fn main() -> Result<(), Box<dyn Error>> {
    let files: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let [hypotheses, references] = &files[..] else { return Err("give HYPOTHESES and REFERENCES".into()) };
    let (hypotheses, references) = (fs::read_to_string(hypotheses)?, fs::read_to_string(references)?);
    let references: Vec<[&str; 1]> = references.lines().map(|line| [line]).collect();
    let segments = || hypotheses.lines().zip(&references).map(|(text, references)| (text, references.as_slice()));
    println!("{} texts", segments().count());
    for tokenizer in [Tokenizer::V13a, Tokenizer::International, Tokenizer::Chinese] {
        let bleu = Bleu { tokenizer, ..Bleu::default() };
        timed(&format!("BLEU {}", tokenizer.name()), || bleu.corpus(segments()).score);
    }
    for chrf in [Chrf::default(), Chrf::plus_plus()] {
        timed(&chrf.name(), || chrf.corpus(segments()));
    }
    let rouge = Rouge { stemmer: true };
    let scores =
        || segments().map(|(text, references)| rouge.score(text, references).rouge_lsum.f1).collect::<Vec<_>>();
    timed("ROUGE", || 100.0 * mean(&scores()));
    let bleu = Bleu::default();
    let counted: Vec<_> = segments().map(|(text, references)| bleu.statistics(text, references)).collect();
    let score = |places: &[usize]| bleu.score(&places.iter().map(|place| counted[*place]).sum()).score;
    timed("standard error of BLEU", || bootstrap(counted.len(), 0, score).standard_error);
    Ok(())
}

fn timed(what: &str, score: impl Fn() -> f64) {
    let start = Instant::now();
    let value = score();
    println!("{what:<24} {value:>8.4} {:>8.3} s", start.elapsed().as_secs_f64());
}

//! Scores of answers against the packages that others score with: `tests/figures/metric_figures.py` wrote down what those compute. And what is true
//! of scores whatever the texts.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*, sample::select};
use serde::Deserialize;
use train::metrics::{
    Binning, Bleu, CalibrationBin, Chrf, Confidence, Judged, Metric, Rouge, average_precision, bleu::Smoothing,
    bleu::Tokenizer, brier_score, calibration_bins, exact_match, f1, mean, ndcg, paired_test, recall, reciprocal_rank,
    rouge::RougeScores, stderr_of_mean, success,
};

/// What others computed.
#[derive(Deserialize)]
struct Figures {
    lines: Vec<BTreeMap<String, String>>,
    texts: Vec<TextFigures>,
    corpora: Vec<CorpusFigures>,
    stems: BTreeMap<String, String>,
    classes: ClassFigures,
    calibration: CalibrationFigures,
    paired: PairedFigures,
}

/// Of a text, and what it is held against.
#[derive(Deserialize)]
struct TextFigures {
    hypothesis: String,
    references: Vec<String>,
    bleu: BTreeMap<String, f64>,
    chrf: BTreeMap<String, f64>,
    rouge: [f64; 12],
    rouge_stemmed: Option<[f64; 12]>,
    exact_match: bool,
    f1: f64,
}

/// Of some texts together.
#[derive(Deserialize)]
struct CorpusFigures {
    texts: Vec<usize>,
    printed: String,
    bleu: BTreeMap<String, f64>,
    chrf: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
struct ClassFigures {
    labels: Vec<usize>,
    predictions: Vec<usize>,
    accuracy: f64,
    macro_f1: f64,
    matthews: f64,
}

#[derive(Deserialize)]
struct CalibrationFigures {
    probabilities: Vec<f64>,
    right: Vec<bool>,
    brier: f64,
    /// Confidence and accuracy of the bins that are not empty.
    uniform: Vec<[f64; 2]>,
    quantile: Vec<[f64; 2]>,
}

#[derive(Deserialize)]
struct PairedFigures {
    first: Vec<f64>,
    second: Vec<f64>,
    p_value: f64,
    stderr: f64,
    /// How many are better, of how many that differ, and the p-value.
    signs: Vec<(usize, usize, f64)>,
}

fn figures() -> Figures {
    let committed = || include_str!("../figures/metrics.json").to_owned();
    let other = std::env::var_os("TAMIS_METRIC_FIGURES");
    let text = other.map_or_else(committed, |path| std::fs::read_to_string(path).expect("the figures can be read"));
    serde_json::from_str(&text).expect("the figures are whole")
}

/// Holds a figure to all 17 digits but the last: the logarithm of one machine may end otherwise than that of another.
#[track_caller]
fn hold(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() <= 1e-14 * expected.abs(), "{what}: {found:?} is not {expected:?}");
}

fn bleu(name: &str) -> Bleu {
    let tokenizer = |tokenizer| Bleu { tokenizer, ..Bleu::default() };
    let smoothing = |smoothing| Bleu { smoothing, ..Bleu::default() };
    match name {
        "13a" => Bleu::default(),
        "intl" => tokenizer(Tokenizer::International),
        "char" => tokenizer(Tokenizer::Character),
        "zh" => tokenizer(Tokenizer::Chinese),
        "none" => tokenizer(Tokenizer::None),
        "lowercase" => Bleu { lowercase: true, ..Bleu::default() },
        "floor" => smoothing(Smoothing::Floor(0.1)),
        "add-k" => smoothing(Smoothing::AddK(0.5)),
        "unsmoothed" => smoothing(Smoothing::None),
        "effective" => Bleu { effective_order: true, ..Bleu::default() },
        other => panic!("{other} is not known"),
    }
}

fn chrf(name: &str) -> Chrf {
    match name {
        "chrF2" => Chrf::default(),
        "chrF2++" => Chrf::plus_plus(),
        "chrF1+" => Chrf { beta: 1, word_order: 1, char_order: 4, ..Chrf::default() },
        "lowercase" => Chrf { lowercase: true, ..Chrf::default() },
        "whitespace" => Chrf { whitespace: true, ..Chrf::default() },
        "eps" => Chrf { eps_smoothing: true, ..Chrf::plus_plus() },
        other => panic!("{other} is not known"),
    }
}

fn numbers(scores: &RougeScores) -> [f64; 12] {
    let each = [scores.rouge1, scores.rouge2, scores.rouge_l, scores.rouge_lsum];
    let numbers: Vec<f64> = each.iter().flat_map(|score| [score.precision, score.recall, score.f1]).collect();
    numbers.try_into().expect("four times three")
}

#[test]
fn tokens_are_those_of_sacrebleu() {
    for line in figures().lines {
        for tokenizer in [Tokenizer::V13a, Tokenizer::International, Tokenizer::Chinese] {
            let tokens = tokenizer.tokens(&line["line"]).join(" ");
            assert_eq!(tokens, line[tokenizer.name()], "{} of {:?}", tokenizer.name(), line["line"]);
        }
    }
}

#[test]
fn texts_have_the_scores_of_others() {
    for text in figures().texts {
        let TextFigures { hypothesis, references, .. } = &text;
        let what = |name: &str| format!("{name} of {hypothesis:?} beside {references:?}");
        for (name, expected) in &text.bleu {
            let bleu = bleu(name);
            hold(bleu.score(&bleu.statistics(hypothesis, references)).score, *expected, &what(name));
        }
        hold(Bleu::default().sentence(hypothesis, references).score, text.bleu["effective"], &what("a sentence"));
        for (name, expected) in &text.chrf {
            hold(chrf(name).sentence(hypothesis, references), *expected, &what(name));
        }
        for (stemmer, expected) in [(false, text.rouge), (true, text.rouge_stemmed.unwrap_or(text.rouge))] {
            let found = numbers(&Rouge { stemmer }.score(hypothesis, references));
            for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
                hold(*found, expected, &what(&format!("ROUGE {stemmer} {place}")));
            }
        }
        assert_eq!(exact_match(hypothesis, references), text.exact_match, "{}", what("exact match"));
        hold(f1(hypothesis, references), text.f1, &what("F1"));
    }
}

#[test]
fn corpora_have_the_scores_of_sacrebleu() {
    let figures = figures();
    for corpus in &figures.corpora {
        let texts = || corpus.texts.iter().map(|number| &figures.texts[*number]);
        let segments = || texts().map(|text| (text.hypothesis.as_str(), text.references.as_slice()));
        for (name, expected) in &corpus.bleu {
            hold(bleu(name).corpus(segments()).score, *expected, &format!("{name} of {:?}", corpus.texts));
        }
        assert_eq!(Bleu::default().corpus(segments()).to_string(), corpus.printed);
        for (name, expected) in &corpus.chrf {
            hold(chrf(name).corpus(segments()), *expected, &format!("{name} of {:?}", corpus.texts));
        }
    }
}

/// A word of more than three letters is its stem to ROUGE: it matches it, and no other.
#[test]
fn stems_are_those_of_nltk() {
    let stems = figures().stems;
    assert!(stems.len() > 200, "{}", stems.len());
    for (word, stem) in stems.into_iter().filter(|(word, _)| word.len() > 3) {
        let rouge = Rouge { stemmer: true };
        assert_eq!(rouge.words(&word), [stem], "{word}");
    }
}

#[test]
fn classes_have_the_scores_of_scikit_learn() {
    let ClassFigures { labels, predictions, accuracy, macro_f1, matthews } = figures().classes;
    let judged = |(label, prediction): (&usize, &usize)| Judged { label: *label, prediction: *prediction, loss: 0.0 };
    let judged: Vec<Judged> = labels.iter().zip(&predictions).map(judged).collect();
    for (metric, expected) in [(Metric::Accuracy, accuracy), (Metric::MacroF1, macro_f1), (Metric::Matthews, matthews)]
    {
        hold(metric.value(&judged), expected, metric.name());
    }
}

#[test]
fn calibration_is_that_of_scikit_learn() {
    let CalibrationFigures { probabilities, right, brier, uniform, quantile } = figures().calibration;
    let answer = |(probability, is_right): (&f64, &bool)| Confidence { probability: *probability, is_right: *is_right };
    let answers: Vec<Confidence> = probabilities.iter().zip(&right).map(answer).collect();
    // theirs is of one class of two
    let square = |answer: &Confidence| {
        brier_score(&[1.0 - answer.probability, answer.probability], usize::from(answer.is_right)) / 2.0
    };
    hold(mean(&answers.iter().map(square).collect::<Vec<_>>()), brier, "Brier");
    for (binning, expected) in [(Binning::EqualWidth, uniform), (Binning::EqualCount, quantile)] {
        let bins = calibration_bins(&answers, binning, 10);
        assert_eq!(bins.len(), expected.len());
        for (CalibrationBin { confidence, accuracy, .. }, expected) in bins.iter().zip(expected) {
            hold(*confidence, expected[0], "confidence");
            hold(*accuracy, expected[1], "accuracy");
        }
    }
}

#[test]
fn a_paired_test_is_that_of_scipy() {
    let PairedFigures { first, second, p_value, stderr, signs } = figures().paired;
    let test = paired_test(&first, &second, 1);
    hold(test.p_value, p_value, "all exchanges");
    hold(test.standard_error.expect("there are several"), stderr, "standard error");
    let differences: Vec<f64> = second.iter().zip(&first).map(|(second, first)| second - first).collect();
    hold(stderr_of_mean(&differences).expect("there are several"), stderr, "standard error");
    for (better, count, p_value) in signs {
        let scores = |is_first: bool| -> Vec<f64> {
            (0..count + 7).map(|place| f64::from(u8::from(place < count && (place < better) != is_first))).collect()
        };
        let found = paired_test(&scores(true), &scores(false), 1).p_value;
        assert!((found - p_value).abs() <= 1e-11 * p_value, "{better} of {count}: {found:?} is not {p_value:?}");
    }
}

/// Texts of a few words and marks, some of which are hard.
/// A ranking, all judgements, and what they come to.
#[derive(Deserialize)]
struct RankingFigures {
    gains: Vec<f64>,
    judged: Vec<f64>,
    figures: BTreeMap<String, f64>,
}

/// `tests/figures/ranking_figures.py` wrote down what `trec_eval`'s measures are, some of questions that have no answer.
#[test]
fn rankings_have_the_scores_of_trec_eval() {
    let cases: Vec<RankingFigures> =
        serde_json::from_str(include_str!("../figures/ranking.json")).expect("the figures are whole");
    for RankingFigures { gains, judged, figures } in &cases {
        let relevant = judged.iter().filter(|gain| **gain > 0.0).count();
        for (name, expected) in figures {
            let found = match name.rsplit_once('_').unwrap_or((name, "")) {
                ("recip", _) => reciprocal_rank(gains),
                ("map", _) => average_precision(gains, relevant),
                ("ndcg_cut", k) => ndcg(gains, judged, k.parse().expect("a number")),
                ("success", k) => success(gains, k.parse().expect("a number")),
                ("recall", k) => recall(gains, relevant, k.parse().expect("a number")),
                _ => panic!("no such measure: {name}"),
            };
            hold(found, *expected, name);
        }
    }
    assert!(cases.len() >= 40 && cases.iter().any(|case| case.figures["map"] == 0.0));
}

fn texts() -> impl Strategy<Value = String> {
    let pieces =
        ["the", "cat", "Cats", "a-\nb", "3,000.5", "U.S.", "né", "你好", "。", "(x)", "running", "İ", "\u{a0}", "\n"];
    vec(select(pieces.to_vec()), 0..14).prop_map(|words| words.join(" "))
}

proptest! {
    /// A text is as good as can be beside itself.
    #[test]
    fn a_text_matches_itself(text in texts(), other in texts()) {
        let references = [other.as_str(), &text];
        for tokenizer in [Tokenizer::V13a, Tokenizer::International, Tokenizer::Character, Tokenizer::Chinese, Tokenizer::None] {
            let config = Bleu { tokenizer, ..Bleu::default() };
            let whole = if tokenizer.tokens(&text).is_empty() { 0.0 } else { 100.0 };
            let score = config.sentence(&text, &references);
            prop_assert!((score.score - whole).abs() < 1e-9, "{score}");
            prop_assert!(config.sentence(&other, &[&text]).score <= 100.0 + 1e-9);
        }
        for config in [Chrf::default(), Chrf::plus_plus()] {
            let whole = if text.trim().is_empty() { 0.0 } else { 100.0 };
            let score = config.sentence(&text, &references);
            prop_assert!((score - whole).abs() < 1e-9, "{score}");
        }
        for stemmer in [false, true] {
            let rouge = Rouge { stemmer };
            let whole = if rouge.words(&text).is_empty() { 0.0 } else { 1.0 };
            let scores = rouge.score(&text, &references);
            prop_assert!((scores.rouge1.f1 - whole).abs() < 1e-12);
            prop_assert!((scores.rouge_l.f1 - whole).abs() < 1e-12);
            prop_assert!((scores.rouge_lsum.f1 - whole).abs() < 1e-12);
        }
        prop_assert!(exact_match(&text, &references));
    }

    /// The order of segments changes nothing, and a corpus of one is its sentence.
    #[test]
    fn a_corpus_has_no_order(pairs in vec((texts(), vec(texts(), 1..3)), 1..6)) {
        fn segments(pairs: &[(String, Vec<String>)]) -> impl DoubleEndedIterator<Item = (&str, &[String])> {
            pairs.iter().map(|(text, references)| (text.as_str(), references.as_slice()))
        }
        let (bleu, chrf) = (Bleu::default(), Chrf::plus_plus());
        prop_assert_eq!(bleu.corpus(segments(&pairs)), bleu.corpus(segments(&pairs).rev()));
        prop_assert_eq!(chrf.corpus(segments(&pairs)).to_bits(), chrf.corpus(segments(&pairs).rev()).to_bits());
        let (text, references) = &pairs[0];
        prop_assert_eq!(chrf.corpus(segments(&pairs[..1])).to_bits(), chrf.sentence(text, references).to_bits());
        let backwards: Vec<&String> = references.iter().rev().collect();
        prop_assert_eq!(bleu.sentence(text, references), bleu.sentence(text, &backwards));
    }

    /// F1 does not ask which text is the answer, and precision of one is recall of the other; a further reference never makes a score worse.
    #[test]
    fn scores_look_both_ways(one in texts(), other in texts(), third in texts()) {
        prop_assert_eq!(f1(&one, &[&other]).to_bits(), f1(&other, &[&one]).to_bits());
        prop_assert_eq!(exact_match(&one, &[&other]), exact_match(&other, &[&one]));
        prop_assert!(f1(&one, &[&other, &third]) >= f1(&one, &[&other]));
        let [there, back] = [(&one, &other), (&other, &one)].map(|(x, y)| Rouge::default().score(x, &[y]));
        for (there, back) in [(there.rouge1, back.rouge1), (there.rouge2, back.rouge2), (there.rouge_l, back.rouge_l)] {
            prop_assert_eq!((there.precision, there.recall), (back.recall, back.precision));
        }
        prop_assert!(there.rouge_lsum.f1 <= there.rouge1.f1 + 1e-12);
        prop_assert!(Chrf::default().sentence(&one, &[&other, &third]) >= Chrf::default().sentence(&one, &[&other]));
    }
}

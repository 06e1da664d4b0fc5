//! Weights from runs: laws rank mixtures as is published of them, and proposals keep to their bounds.

use std::{fs, path::Path};

use serde_json::{Value, json};
use train::{
    metrics::spearman,
    mixing::{Law, LawKind},
};

use crate::support::{stderr, text, train};

/// The rows of a table of numbers, without its first column.
fn table(path: &Path) -> Vec<Vec<f64>> {
    let text = fs::read_to_string(path).expect("the data is there");
    let row = |line: &str| line.split(',').skip(1).map(|cell| cell.parse().expect("a number")).collect();
    text.lines().skip(1).map(row).collect()
}

/// The column of Pile-CC among the domains that were judged.
const PILE_CC: usize = 8;

/// RegMix's own runs: 512 of 1M parameters, and what mixtures that were held out reached at 1M, 60M and 1B, on Pile-CC. Linear regression and trees are
/// those of Liu et al. 2024, table 2, within .01; the exponential law is that of Ye et al. 2024, refitted.
#[test]
fn laws_rank_mixtures_as_published() {
    let name = "mixing::laws_rank_mixtures_as_published";
    let Some(data) = fixtures::needs::data(name, "mixing/regmix/train_mixture_1m.csv") else { return };
    let of = |name: &str| table(&data.join("mixing/regmix").join(name));
    let (weights, losses) = (of("train_mixture_1m.csv"), of("train_pile_loss_1m.csv"));
    let column = |rows: &[Vec<f64>]| rows.iter().map(|row| row[PILE_CC]).collect::<Vec<_>>();
    let held_out = [
        (of("test_mixture_1m.csv"), column(&of("test_pile_loss_1m.csv"))),
        (of("test_mixture_1m.csv"), column(&of("test_pile_loss_60m.csv"))),
        (of("test_mixture_1B.csv"), column(&of("test_pile_loss_1B.csv"))),
    ];
    let ranks = |kind: LawKind, runs: usize| {
        let law = Law::fit(kind, &weights[..runs], &column(&losses)[..runs]);
        held_out.each_ref().map(|(mixtures, reached)| {
            let expected: Vec<f64> = mixtures.iter().map(|mixture| law.predict(mixture)).collect();
            spearman(&expected, reached)
        })
    };
    for (kind, published) in [
        (LawKind::Linear, [0.901, 0.893, 0.880]),
        (LawKind::LogLinear, [0.942, 0.933, 0.801]),
        (LawKind::Exponential, [0.962, 0.958, 0.985]),
        (LawKind::Trees, [0.985, 0.986, 0.971]),
    ] {
        let found = ranks(kind, 512);
        let is_near = found.iter().zip(published).all(|(found, published)| (found - published).abs() < 0.01);
        assert!(is_near, "{kind}: {found:.3?} is not {published:?}");
    }
    let [own, _, large] = ranks(LawKind::Exponential, 64);
    assert!(own > 0.917 - 0.01 && large > 0.945 - 0.01, "of 64 runs: {own:.3}, {large:.3}");
}

/// Runs of three sources whose losses follow a law with its least mean at 0.2, 0.5 and 0.3.
fn runs() -> Vec<Value> {
    let wanted = [0.2, 0.5, 0.3];
    let run = |number: usize| {
        let draws = [number % 7, number * 5 % 11, number * 3 % 13].map(|draw| 1.0 + draw as f64);
        let shares = draws.map(|draw| draw / draws.iter().sum::<f64>());
        let bowl: f64 = shares.iter().zip(wanted).map(|(share, wanted)| (share - wanted).powi(2)).sum();
        let names = ["books", "code", "web"];
        let weights: serde_json::Map<String, Value> =
            names.iter().zip(shares).map(|(name, share)| ((*name).to_owned(), json!(share))).collect();
        json!({"run": number, "weights": weights, "losses": {"one": 3.0 + bowl, "two": 2.0 + 3.0 * bowl}})
    };
    (0..60).map(run).collect()
}

fn write(path: &Path, rows: &[Value]) {
    fs::write(path, rows.iter().map(|row| row.to_string() + "\n").collect::<String>()).expect("it can be written");
}

#[test]
fn weights_are_proposed_within_bounds() {
    let folder = tempfile::tempdir().expect("the temporary folder can be written");
    let (path, out) = (folder.path().join("runs.jsonl"), folder.path().join("out"));
    write(&path, &runs());
    let fit = |more: &[&str]| -> Value {
        let output = train(&[&["mix", "fit", text(&path), "--out", text(&out), "--samples", "20"], more].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        serde_json::from_slice(&fs::read(out.join("fit.json")).expect("it is written")).expect("it is JSON")
    };
    let near = |fit: &Value, wanted: [f64; 3]| {
        for (name, wanted) in ["books", "code", "web"].into_iter().zip(wanted) {
            let [weight, low, high] = [&fit["weights"][name], &fit["intervals"][name][0], &fit["intervals"][name][1]]
                .map(|number| number.as_f64().expect("a number"));
            assert!((weight - wanted).abs() < 0.01, "{name}: {weight} is not {wanted}: {fit}");
            assert!(low <= weight + 0.01 && weight - 0.01 <= high, "{name}: {weight} is not from {low} to {high}");
        }
    };
    let free = fit(&["--kl", "0"]);
    assert_eq!((&free["chosen"], &free["runs"]), (&json!("quadratic"), &json!(60)));
    near(&free, [0.2, 0.5, 0.3]);
    // the same again, to the byte
    let first = fs::read(out.join("weights.toml")).expect("it is written");
    fit(&["--kl", "0", "--threads", "1"]);
    assert_eq!(fs::read(out.join("weights.toml")).expect("it is written"), first);
    let line = String::from_utf8(first).expect("it is text");
    assert!(line.starts_with("weights = { \"books\" = 0.") && line.ends_with(" }\n"), "{line}");
    // 1,000 tokens, of which code may give 100 four times
    near(
        &fit(&["--kl", "0", "--budget", "1000", "--size", "code=100", "--size", "web=900", "--size", "books=900"]),
        [0.25, 0.4, 0.35],
    );
    let held = fit(&["--kl", "1000"]);
    near(&held, ["books", "code", "web"].map(|name| held["prior"][name].as_f64().expect("a number")));
}

#[test]
fn what_is_missing_is_said() {
    let folder = tempfile::tempdir().expect("the temporary folder can be written");
    let path = folder.path().join("runs.jsonl");
    let refused = |rows: &[Value], more: &[&str]| {
        write(&path, rows);
        let output = train(&[&["mix", "fit", text(&path)], more].concat());
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        stderr(&output)
    };
    let all = runs();
    let few = refused(&all[..4], &[]);
    assert!(
        few.contains("there are 4 runs, fewer than the unknowns of any law of 3 sources: 5 are the least"),
        "{few}"
    );
    let domain = refused(&all, &["--objective", "three"]);
    assert!(domain.contains("there is no domain `three`: there are `one`, `two`"), "{domain}");
    let size = refused(&all, &["--budget", "1000", "--size", "code=100"]);
    assert!(size.contains("nothing says the size of `books`"), "{size}");
    let sizes = ["--budget", "1000", "--size", "code=10", "--size", "web=10", "--size", "books=10"];
    let little = refused(&all, &sizes);
    assert!(
        little.contains("no weights are within bounds: all sources together may give 0.120 of what is wanted"),
        "{little}"
    );
    let other = json!({"weights": {"web": 1}, "losses": {"one": 3}});
    assert!(refused(&[&all[..2], &[other]].concat(), &[]).contains("line 3: it has losses of other domains"));
    let negative = json!({"weights": {"web": 1, "code": -0.5}, "losses": {"one": 3}});
    assert!(refused(&[negative], &[]).contains("line 1: a weight is 0 or more"));
    assert!(refused(&[json!({"weights": {"web": 1}})], &[]).contains("line 1: missing field `losses`"));
}

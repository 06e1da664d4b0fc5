//! Many small models: weights from what they reach, ladders of sizes, and comparisons of data. Whole, killed, and refused where something is missing.

use std::{fs, path::Path, process::Stdio};

use fixtures::dice::Dice;
use serde_json::Value;

use crate::support::{Workshop, program, stderr, text, train, wait_until};

/// A model that learns in a second which letters follow each other.
const PROXY: &str = r#"seed = 3

[data]
tokenizer = "tokenizer.json"
validation = 0.1
[data.sources.digits]
path = "digits.jsonl"
weight = 1
[data.sources.letters]
path = "letters.jsonl"
weight = 1
[data.sources.noise]
path = "noise.jsonl"
weight = 2
[data.held_out]
numbers = "numbers.jsonl"
words = "words.jsonl"

[model]
num_layers = 1
num_heads = 2
hidden_size = 16
context_length = 32

[training]
steps = 24
batch_size = 4
evaluate_every = 4
evaluate_sequences = 16

[learning_rate]
peak = 2e-2
warmup_steps = 3
"#;

const MIX: &str = r#"seed = 1
runs = 14
samples = 10
kl = 0.01
objective = "OBJECTIVE"

[proxy]
config = "proxy.toml"

[trials]
seeds = 2
[trials.weights.half]
letters = 1
digits = 1
"#;

/// Documents whose next character follows from the last: in an alphabet, or, where there is none, from nothing at all.
fn documents(path: &Path, alphabet: Option<&[u8]>, count: usize) {
    // by its name, so that it is the same wherever it lies
    let name = path.file_name().and_then(|name| name.to_str()).expect("it has a name");
    let mut dice = Dice::new(1, name);
    let line = |_| {
        let mut place = dice.below(10);
        let mut written = String::new();
        for _ in 0..150 {
            let letter = match alphabet {
                Some(alphabet) => alphabet[place % alphabet.len()],
                None => b"abcdefghij0123456789"[dice.below(20)],
            };
            written.push(char::from(letter));
            place += if dice.below(8) == 0 { 2 } else { 1 };
        }
        format!("{{\"text\": \"{written}\"}}\n")
    };
    fs::write(path, (0..count).map(line).collect::<String>()).expect("the file can be written");
}

/// Sources of letters, of digits and of noise; words and numbers to be judged by.
fn workshop() -> Workshop {
    let workshop = Workshop::new();
    let path = |name: &str| workshop.path().join(name);
    let (letters, digits) = (&b"abcdefghij"[..], &b"0123456789"[..]);
    documents(&path("letters.jsonl"), Some(letters), 80);
    documents(&path("digits.jsonl"), Some(digits), 80);
    documents(&path("noise.jsonl"), None, 80);
    documents(&path("words.jsonl"), Some(letters), 12);
    documents(&path("numbers.jsonl"), Some(digits), 12);
    fs::write(path("proxy.toml"), PROXY).expect("it can be written");
    workshop
}

fn write(workshop: &Workshop, name: &str, config: &str) -> String {
    let path = workshop.path().join(name);
    fs::write(&path, config).expect("it can be written");
    text(&path).to_owned()
}

fn json(path: &Path) -> Value {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&bytes).expect("it is JSON")
}

fn well(arguments: &[&str]) -> String {
    let output = train(arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    String::from_utf8(output.stdout).expect("it is text")
}

/// What is judged by words wants letters; and whatever kills it, or however many models train at once, the weights are the same to the byte.
#[test]
fn weights_follow_what_is_judged_and_survive_kills() {
    let workshop = workshop();
    let config = write(&workshop, "mix.toml", &MIX.replace("OBJECTIVE", "words"));
    let [whole, killed] = ["whole", "killed"].map(|name| workshop.path().join(name));
    let printed = well(&["mix", &config, "--out", text(&whole), "--threads", "2"]);
    assert!(printed.contains("rank correlation of what was expected and what was reached"), "{printed}");
    let fit = json(&whole.join("fit.json"));
    let weight = |name: &str| fit["weights"][name].as_f64().expect("it has a weight");
    assert!(weight("letters") > weight("digits") + 0.2 && weight("letters") > weight("noise") + 0.2, "{fit}");
    assert!(fit["domains"]["words"].as_f64().expect("a rank") > 0.5, "{fit}");
    assert!(fit["rule"]["letters"].as_f64().expect("a weight") > fit["rule"]["digits"].as_f64().expect("a weight"));
    let trials = json(&whole.join("trials.json"));
    let named: Vec<Vec<&str>> = trials["trials"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|trial| {
            let also = trial["also"].as_array().into_iter().flatten().filter_map(Value::as_str);
            trial["name"].as_str().into_iter().chain(also).collect()
        })
        .collect();
    let place = |name: &str| {
        let place = named.iter().position(|names| names.contains(&name));
        place.unwrap_or_else(|| panic!("{name} is not tried: {named:?}"))
    };
    assert!(place("half") != place("rule") && place("equal") != place("rule"), "{named:?}");
    let chosen = fit["chosen"].as_str().expect("a law").replace('_', "-");
    assert!(place(&chosen) < place("prior"), "{named:?}");
    assert!(fs::read_dir(whole.join("runs/0003")).expect("it is there").count() > 0);
    assert!(!whole.join("runs/0003/checkpoints").exists(), "what is done leaves no checkpoints");

    let arguments = ["mix", &config, "--out", text(&killed), "--threads", "2", "--set", "at_once=1"];
    for (kill, done) in [2, 5, 9, 15].into_iter().enumerate() {
        let resume = &["--resume"][..usize::from(kill > 0)];
        let mut child = program(&[&arguments[..], resume].concat())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it can be started");
        let count = || {
            let runs = fs::read_dir(killed.join("runs")).into_iter().flatten();
            runs.filter(|run| run.as_ref().is_ok_and(|run| run.path().join("reached.json").exists())).count()
        };
        wait_until(|| count() >= done);
        child.kill().expect("it can be killed");
        child.wait().expect("it has ended");
    }
    well(&[&arguments[..], &["--resume"]].concat());
    for name in ["weights.toml", "fit.json", "runs.jsonl", "trials.json"] {
        let [one, other] = [&whole, &killed].map(|out| fs::read_to_string(out.join(name)).expect("it is written"));
        assert_eq!(one, other, "{name}");
    }
    // other wishes are met without a training
    let other = ["--set", "objective=mean", "--set", "trials.seeds=0", "--resume"];
    let again = well(&[&["mix", &config, "--out", text(&whole)], &other[..]].concat());
    assert!(again.contains("(mean)") && !whole.join("trials.json").exists(), "{again}");
    let runs = |out: &Path| fs::read_to_string(out.join("runs.jsonl")).expect("it is written");
    assert_eq!(runs(&whole), runs(&killed));
    // another mix is not taken for this one, nor what was judged by other data
    let proxy = fs::read_to_string(workshop.path().join("proxy.toml")).expect("it is there");
    let more = write(&workshop, "more.toml", &proxy.replace("words = ", "more = \"letters.jsonl\"\nwords = "));
    let set = format!("proxy.config={more}");
    let judged = train(&["mix", &config, "--out", text(&whole), "--resume", "--set", &set]);
    assert!(stderr(&judged).contains("`what proxies are judged by` was SHA-256"), "{}", stderr(&judged));
    let other = train(&["mix", &config, "--out", text(&whole), "--resume", "--set", "strengths=[1.0, 2.0]"]);
    assert!(stderr(&other).contains("`strengths` was 0.1 to 5, and is 1 to 2"), "{}", stderr(&other));
    let page = fs::read_to_string(whole.join("report.html")).expect("it is written");
    for id in ["weights-chart", "laws-table", "validated-chart", "effects-table", "runs-table"] {
        assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
    }
    assert!(!page.contains("NaN") && !page.contains("://"));
}

#[test]
fn what_is_missing_for_weights_is_said() {
    let workshop = workshop();
    let config = write(&workshop, "mix.toml", &MIX.replace("OBJECTIVE", "mean"));
    let refused = |more: &[&str]| {
        let out = workshop.path().join("out");
        let output = train(&[&["mix", &config, "--out", text(&out)], more].concat());
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        stderr(&output)
    };
    for (set, message) in [
        ("runs=4", "4 runs are fewer than the unknowns of any law of 3 sources: 5 are the least"),
        ("objective=letters", "it is `mean`, `worst` or one of the domains, `numbers`, `words`, and not `letters`"),
        (
            "domains=[\"news\"]",
            "`news` is neither held out nor a source: there are `numbers`, `words`, `digits`, `letters`, `noise`",
        ),
        ("trials.weights.half={ books = 1 }", "`books` is no source of"),
        ("proxy.config=small.toml", "there is no file"),
        ("target={ tokens = 10000000, max_epochs = 4 }", "no weights are within bounds: all sources together may give"),
        ("strengths=[2.0, 1.0]", "it is two numbers above 0 in rising order, and not 2 and 1"),
    ] {
        let said = refused(&["--set", set]);
        assert!(said.contains(message), "{set}: {said}");
    }
    // one source, and one that has nothing to be judged by
    let one = workshop.path().join("small.toml");
    let said = refused(&["--set", &format!("proxy.config={}", text(&one))]);
    assert!(said.contains("it has one source, and weights are of several"), "{said}");
    let proxy = fs::read_to_string(workshop.path().join("proxy.toml")).expect("it is there");
    let bare = write(&workshop, "bare.toml", &proxy.replace("validation = 0.1", "validation = 0.0001"));
    let said = refused(&["--set", &format!("proxy.config={bare}")]);
    assert!(
        said.contains(".jsonl: its validation split has 0 documents") && said.contains("a larger share `validation`"),
        "{said}"
    );
}

/// A target that is trained on more tokens: small models learn from a part of each source, and no source gets more than its repetitions give.
#[test]
fn small_models_repeat_as_the_target_will() {
    let workshop = workshop();
    let config = write(&workshop, "mix.toml", &MIX.replace("OBJECTIVE", "words"));
    let out = workshop.path().join("out");
    let target = "target={ tokens = 30720, max_epochs = 1.5 }";
    well(&["mix", &config, "--out", text(&out), "--set", target, "--set", "trials.seeds=0"]);
    let reached = json(&out.join("runs/0000/reached.json"));
    // 24 steps of 4 sequences of 32 tokens are a tenth of the target's
    assert_eq!(reached["settings"]["data.subset"], "0.1");
    let fit = json(&out.join("fit.json"));
    let row: Value = serde_json::from_str(
        fs::read_to_string(out.join("runs.jsonl")).expect("it is written").lines().nth(2).expect("a run"),
    )
    .expect("it is JSON");
    let most = 1.5 * 80.0 * 151.0 / 30720.0;
    for weights in [&fit["weights"], &row["weights"]] {
        for name in ["digits", "letters", "noise"] {
            assert!(weights[name].as_f64().expect("a weight") <= most, "{name}: {weights}");
        }
    }
}

const SCALE: &str = r#"seed = 1
sizes = [
  { hidden_size = 8, num_heads = 1 },
  { hidden_size = 16 },
  { hidden_size = 24 },
  { hidden_size = 32 },
]
tokens_per_parameter = [0.2, 1.0]
samples = 10

[model]
config = "proxy.toml"
"#;

/// Each size by its rule, from the configuration's own; the largest is forecast.
#[test]
fn a_ladder_is_trained_by_its_rule() {
    let workshop = workshop();
    let config = write(&workshop, "scale.toml", SCALE);
    let out = workshop.path().join("ladder");
    let printed = well(&["scale", &config, "--out", text(&out)]);
    assert!(printed.contains("loss = E + A / N^alpha + B / D^beta, of 6 points (all parameters)"), "{printed}");
    let fit = json(&out.join("scale.json"));
    assert_eq!(fit["forecasts"].as_array().map(Vec::len), Some(2));
    let points = fs::read_to_string(out.join("points.jsonl")).expect("it is written");
    let points: Vec<Value> = points.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect();
    assert_eq!(points.len(), 8);
    let mut sizes: Vec<f64> = points.iter().map(|point| point["parameters"].as_f64().expect("a number")).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    // the second is the configuration's own size
    for (place, factor) in [(0, sizes[0] / sizes[1]), (1, 1.0), (3, sizes[3] / sizes[1])] {
        let settings = &json(&out.join(format!("runs/{:.0}-1/reached.json", sizes[place])))["settings"];
        let number = |key: &str| settings[key].as_str().expect("a setting").parse::<f64>().expect("a number");
        assert!((number("learning_rate.peak") / (0.02 * factor.powf(-1.0 / 3.0)) - 1.0).abs() < 1e-9, "{settings}");
        assert!((number("training.batch_size") - (4.0 * factor.powf(2.0 / 3.0)).round()).abs() < 1e-9, "{settings}");
        let tokens = number("training.steps") * number("training.batch_size") * 32.0;
        assert!((tokens / sizes[place] - 1.0).abs() < 0.1, "{settings}");
    }
    let page = fs::read_to_string(out.join("report.html")).expect("it is written");
    for id in ["compute-chart", "tokens-chart", "law-table", "forecasts-table", "points-table"] {
        assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
    }
    // the same points by themselves
    let again = well(&["scale", "fit", text(&out.join("points.jsonl")), "--seed", "1", "--samples", "10"]);
    assert_eq!(again.lines().nth(2), printed.lines().nth(2));
    for (set, message) in [
        ("leave_out=2", "there are 4, of which 2 are left out: the law wants 3 or more that it sees"),
        ("tokens_per_parameter=[1.0]", "it has two numbers or more, each once"),
        (
            "tokens_per_parameter=[0.01, 0.2, 1.0]",
            "and the warm-up 3: `learning_rate.warmup_ratio` in place of `warmup_steps` suits all",
        ),
        ("domain=news", "`news` is not held out: there are `numbers`, `words`"),
        ("sizes=[{ hidden_size = 16 }, { hidden_sise = 8 }, { hidden_size = 8 }, { hidden_size = 24 }]", "hidden_sise"),
        (
            "sizes=[{ context_length = 16 }, { hidden_size = 8 }, { hidden_size = 16 }, { hidden_size = 24 }]",
            "size 1 has another `context_length`, and is judged by other sequences",
        ),
        (
            "sizes=[{ hidden_size = 16 }, { hidden_size = 16 }, { hidden_size = 8 }, { hidden_size = 24 }]",
            "two of them have the same number of parameters",
        ),
    ] {
        let output = train(&["scale", &config, "--out", text(&out), "--resume", "--set", set]);
        assert!(stderr(&output).contains(message), "{set}: {}", stderr(&output));
    }
}

/// The ladder of Bhagia et al. 2024 on C4: five sizes, the largest of which is forecast within 2 %.
#[test]
fn a_published_ladder_is_forecast() {
    let name = "sweeps::a_published_ladder_is_forecast";
    let Some(data) = fixtures::needs::data(name, "mixing/ladder/c4_final.csv") else { return };
    let table = fs::read_to_string(data.join("mixing/ladder/c4_final.csv")).expect("it is there");
    let folder = tempfile::tempdir().expect("the temporary folder can be written");
    let path = folder.path().join("points.jsonl");
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        // half of Chinchilla's tokens are no rung of it
        if cells[0].contains("0.5xC") {
            return String::new();
        }
        let parameters = match cells[1] {
            "190M" => 190e6,
            "370M" => 371e6,
            "760M" => 758e6,
            "1B" => 1279e6,
            "3B" => 3169e6,
            other => panic!("there is a size {other}"),
        };
        format!("{{\"parameters\": {parameters}, \"tokens\": {}, \"loss\": {}}}\n", cells[2], cells[3])
    };
    fs::write(&path, table.lines().skip(1).map(row).collect::<String>()).expect("it can be written");
    let out = folder.path().join("out");
    let printed = well(&["scale", "fit", text(&path), "--out", text(&out)]);
    let fit = json(&out.join("scale.json"));
    let forecasts = fit["forecasts"].as_array().expect("a list");
    assert!(!forecasts.is_empty());
    for (name, published, most) in
        [("floor", 1.04, 0.05), ("parameter_exponent", 0.112, 0.01), ("token_exponent", 0.158, 0.01)]
    {
        let found = fit["law"][name].as_f64().expect("a number");
        assert!((found - published).abs() < most, "{name}: {found} is not {published}: {printed}");
    }
    for forecast in forecasts {
        assert!(forecast["error"].as_f64().expect("a number").abs() < 0.02, "{printed}");
    }
}

const COMPARE: &str = r#"baseline = "noise"
seeds = 5
min_seeds = 3

[model]
config = "proxy.toml"

[arms.noise]
weights = { noise = 1 }
[arms.like]
weights = { letters = 1, digits = 1 }
"#;

/// Data like what is judged beats noise, which shows before all seeds are trained; data that is the same never is decided.
#[test]
fn the_better_data_is_found() {
    let workshop = workshop();
    let config = write(&workshop, "compare.toml", COMPARE);
    let out = workshop.path().join("out");
    let printed = well(&["compare", &config, "--out", text(&out)]);
    assert!(printed.contains("of 3072 tokens each, with which it is decided"), "{printed}");
    let outcome = json(&out.join("compare.json"));
    assert!(outcome["seeds"].as_u64().is_some_and(|seeds| (3..5).contains(&seeds)), "{outcome}");
    let like = &outcome["arms"][1];
    assert_eq!((&outcome["arms"][0]["name"], &like["name"]), (&Value::from("noise"), &Value::from("like")));
    assert!(like["difference"]["interval"][0].as_f64().expect("a number") > 0.0, "{outcome}");
    assert!(like["token_efficiency"].as_f64().expect("a number") > 1.0, "{outcome}");
    // all seeds, of which three are there
    let more = ["--resume", "--set", "stop_early=false", "--set", "seeds=6"];
    let printed = well(&[&["compare", &config, "--out", text(&out)], &more[..]].concat());
    assert!(printed.contains("6 seeds of 3072 tokens each; less"), "{printed}");
    let again = json(&out.join("compare.json"));
    for seed in 0..3 {
        assert_eq!(again["arms"][1]["losses"][seed], outcome["arms"][1]["losses"][seed]);
    }
    let page = fs::read_to_string(out.join("report.html")).expect("it is written");
    for id in ["differences-chart", "curves-chart", "domains-table", "seeds-table"] {
        assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
    }
    let same = write(&workshop, "same.toml", &format!("{COMPARE}[arms.again]\nweights = {{ noise = 1 }}\n"));
    let out = workshop.path().join("same");
    let printed = well(&["compare", &same, "--out", text(&out)]);
    assert!(printed.contains("5 seeds of 3072 tokens each; less"), "{printed}");
    let outcome = json(&out.join("compare.json"));
    assert_eq!(outcome["arms"][1]["difference"]["mean"], 0.0, "{outcome}");

    for (set, message) in [
        ("baseline=raw", "there is no arm `raw`: there are `like`, `noise`"),
        (
            "arms.like={ weights = { books = 1 } }",
            "arm `like`: there is no source `books`: there are `digits`, `letters`, `noise`",
        ),
        (
            "arms.like={ set = { \"training.steps\" = 12 } }",
            "arm `like` learns from 1536 tokens, and `noise` from 3072: that is no comparison of data",
        ),
        ("arms.like={ weights = { letters = 0 } }", "arm `like`: its weights add up to nothing"),
        (
            "arms.like={ set = { seed = 4 } }",
            "arm `like` differs from `noise` in its seed, its tokenizer, or what it is judged by",
        ),
        ("arms.like={ set = { \"data.held_out.words\" = \"letters.jsonl\" } }", "losses of both do not compare"),
        ("arms.like={ set = { \"data.sources.letters.path\" = \"nowhere.jsonl\" } }", "nowhere.jsonl"),
        ("min_seeds=1", "a difference has a deviation from 2 seeds on, and it is 1"),
    ] {
        let output = train(&["compare", &config, "--out", text(&workshop.path().join("refused")), "--set", set]);
        assert!(stderr(&output).contains(message), "{set}: {}", stderr(&output));
    }
}

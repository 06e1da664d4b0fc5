//! Rounds of learning from feedback: whole, interrupted and killed, by a program and by people, and refused where they do not fit.

use std::{
    cell::Cell,
    fs,
    path::Path,
    process::{Output, Stdio},
    thread,
};

use serde_json::{Value, json};
use train::{
    device::DeviceName,
    program::{
        Options,
        rlhf::{Rounds, RoundsEnd, RoundsOutcome, run_rounds},
    },
    trainer::{Evaluation, GeneratedSample, Progress, SpikeEvent, StepStats},
};

use crate::support::{Workshop, program, stderr, text, train, wait_until};

/// Rankings of a round.
const COUNT: usize = 24;

const RLHF: &str = r#"seed = 1
rounds = 2

[prompts]
mixture = "prompts.jsonl"

[model]
from = "base"

[label]
labeler = "vowels"
answers = 3
tokens = 6
count = 24

[demonstrations]
config = "tune.toml"

[reward]
config = "reward.toml"

[policy]
method = "METHOD"
config = "METHOD.toml"
"#;

/// What every training has; where its data and its model lie is for the rounds to say.
const LOOP: &str = "
[training]
steps = 4
batch_size = 4
log_every = 1
evaluate_every = 2
save_every = 2
[learning_rate]
peak = 3e-3
";

const PPO: &str = r#"
[ppo]
episodes = 8
epochs = 1
max_new_tokens = 6
[pretraining]
mixture = "mixture"
weight = 0.5
"#;

/// A labeler that prefers answers with more vowels.
const VOWELS: &str = r#"while read -r line; do
  printf '%s\n' "$line" | awk '{
    text = substr($0, index($0, "\"answers\":[") + 11)
    answers = 0
    within = 0
    for (at = 1; at <= length(text); at++) {
      letter = substr(text, at, 1)
      if (within && letter == "\\") {
        at++
        continue
      }
      if (letter == "\"") {
        within = !within
        if (within) count[++answers] = 0
        continue
      }
      if (!within && letter == "]") break
      if (within && index("aeiou", letter)) count[answers]++
    }
    ranks = ""
    for (one = 1; one <= answers; one++) {
      rank = 1
      for (other = 1; other <= answers; other++) if (count[other] > count[one]) rank++
      ranks = ranks (one > 1 ? ", " : "") rank
    }
    print "{\"ranks\": [" ranks "]}"
  }'
done"#;

/// A workshop with a model, prompts, demonstrations, a labeler, and all configurations.
fn workshop(method: &str) -> Workshop {
    let workshop = Workshop::new();
    workshop.pretrain_well("base", &["--until", "20"]);
    workshop.write_sums("sums.jsonl", 200);
    let prompts = (0..40).map(|number| json!({"prompt": format!("River {number} runs")}).to_string() + "\n");
    write(&workshop, "prompts.jsonl", &prompts.collect::<String>());
    workshop.script("vowels", VOWELS);
    write(&workshop, "rlhf.toml", &RLHF.replace("METHOD", method));
    write(&workshop, "tune.toml", &format!("seed = 1\n[data]\nmixture = \"sums.jsonl\"\nvalidation = 0.1\n{LOOP}"));
    let held_out = "seed = 1\n[data]\nvalidation = 0.3\n";
    // what it says of the model does not count
    write(&workshop, "reward.toml", &format!("{held_out}[model]\nfrom = \"missing\"\n{LOOP}"));
    write(&workshop, "dpo.toml", &format!("{held_out}[dpo]\nbeta = 0.2\n{LOOP}"));
    write(&workshop, "ppo.toml", &format!("{held_out}{PPO}{LOOP}"));
    workshop
}

fn write(workshop: &Workshop, name: &str, text: &str) {
    fs::write(workshop.path().join(name), text).expect("it can be written");
}

/// `train rlhf` with its output in a folder.
fn rlhf(workshop: &Workshop, out: &str, more: &[&str]) -> Output {
    let (config, out) = (workshop.path().join("rlhf.toml"), workshop.path().join(out));
    train(&[&["rlhf", text(&config), "--out", text(&out), "--plain"], more].concat())
}

/// The lines of a file, but for times.
fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let timeless = |line: &str| {
        let mut line: Value = serde_json::from_str(line).expect("a line is JSON");
        line.as_object_mut().expect("a line is an object").remove("tokens_per_second");
        line
    };
    text.lines().map(timeless).collect()
}

/// Whoever watches, and asks to stop after so many questions whether to.
struct Watcher {
    left: Cell<usize>,
}

impl Progress for Watcher {
    fn on_start(&mut self, _: u64) {}
    fn on_step(&mut self, _: &StepStats) {}
    fn on_evaluation(&mut self, _: &Evaluation) {}
    fn on_sample(&mut self, _: &GeneratedSample) {}
    fn on_spike(&mut self, _: &SpikeEvent) {}
    fn note(&mut self, _: &str) {}

    fn should_stop(&self) -> bool {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        left == 0
    }
}

/// Runs rounds until they are done, or somebody asked so often whether to stop.
fn run(workshop: &Workshop, out: &str, resume: bool, left: usize) -> RoundsOutcome {
    let rounds = Rounds::read(&workshop.path().join("rlhf.toml"), &[]).unwrap_or_else(|error| panic!("{error}"));
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let out = workshop.path().join(out);
    let options = Options { out, device: DeviceName::Cpu, resume, until: None, threads, cache: None };
    let mut watcher = Watcher { left: Cell::new(left) };
    run_rounds(&rounds, &options, &mut watcher).unwrap_or_else(|error| panic!("{error}"))
}

/// However often rounds are interrupted, among labels or among steps, they end as unbroken ones: with the same rankings, weights, figures and answers.
#[test]
fn interrupted_rounds_end_as_unbroken_ones() {
    for method in ["ppo", "dpo"] {
        let workshop = workshop(method);
        let whole = run(&workshop, "whole", false, usize::MAX);
        assert_eq!((&whole.end, whole.rounds.len()), (&RoundsEnd::Done, 2), "{method}");
        let mut runs = 0;
        loop {
            let RoundsOutcome { end, .. } = run(&workshop, "broken", runs > 0, [3, 9, 4, 14][runs % 4]);
            runs += 1;
            match end {
                RoundsEnd::Done => break,
                RoundsEnd::Interrupted => assert!(runs < 200, "{method}: it does not go on"),
                RoundsEnd::Waiting { .. } => panic!("{method}: a program ranks"),
            }
        }
        assert!(runs > 6, "{method}: {runs} runs");
        let path = |out: &str, name: &str| workshop.path().join(out).join(name);
        for name in ["rounds.jsonl", "samples.jsonl", "round-1/rankings.jsonl", "round-2/mixture.jsonl"] {
            assert_eq!(lines(&path("whole", name)), lines(&path("broken", name)), "{method}: {name}");
        }
        for training in ["tuned", "round-1/reward", "round-1/policy", "round-2/reward", "round-2/policy"] {
            let [one, other] = ["whole", "broken"].map(|out| format!("{out}/{training}"));
            assert!(workshop.checkpoint(&one, 4) == workshop.checkpoint(&other, 4), "{method}: {training}");
            assert_eq!(workshop.metrics(&one), workshop.metrics(&other), "{method}: {training}");
        }
    }
}

/// What each round won is told, with what its method has; the reference of a round is its start; answers of the start and of each round stand on
/// the page.
#[test]
fn rounds_tell_what_they_won() {
    for method in ["ppo", "dpo"] {
        let workshop = workshop(method);
        let output = rlhf(&workshop, "out", &[]);
        assert!(output.status.success(), "{method}: {}", stderr(&output));
        let printed = String::from_utf8(output.stdout).expect("it is text");
        for said in ["round 1: 24 rankings (24 in all)", "round 2: 24 rankings (48 in all)"] {
            assert!(printed.contains(said), "{method}: {printed}");
        }
        let out = workshop.path().join("out");
        for (round, line) in (1..).zip(lines(&out.join("rounds.jsonl"))) {
            let number =
                |key: &str| line.pointer(key).and_then(Value::as_f64).unwrap_or_else(|| panic!("{key}: {line}"));
            assert_eq!((&line["round"], &line["steps"]), (&json!(round), &json!(4)));
            let [low, accuracy, high] = ["/reward/interval/0", "/reward/accuracy", "/reward/interval/1"].map(number);
            assert!(low <= accuracy && accuracy <= high, "{line}");
            if method == "ppo" {
                assert!(number("/before/validation_kl").abs() < 1e-3, "it is its own reference: {line}");
                assert!(number("/after/validation_reward").is_finite() && number("/after/text_loss") > 0.0);
                assert_eq!(line["after"]["validation_accuracy"], Value::Null);
            } else {
                let loss = number("/before/validation_loss");
                assert!((loss - std::f64::consts::LN_2).abs() < 1e-3, "it is its own reference: {line}");
                assert_eq!(line["after"]["validation_reward"], Value::Null);
            }
        }
        let samples = lines(&out.join("samples.jsonl"));
        let of = |round: u64| samples.iter().filter(|sample| sample["round"] == round).collect::<Vec<_>>();
        let prompts = |round: u64| of(round).iter().map(|sample| sample["prompt"].clone()).collect::<Vec<_>>();
        assert!((1..=8).contains(&of(0).len()) && prompts(0) == prompts(1) && prompts(0) == prompts(2), "{samples:?}");
        assert!(prompts(0).iter().all(|prompt| prompt.as_str().is_some_and(|prompt| prompt.starts_with("River "))));
        let page = fs::read_to_string(out.join("report.html")).expect("it was written");
        for part in ["id=\"rounds\"", "id=\"reward-model\"", "id=\"policy\"", "id=\"answers\"", "round 2"] {
            assert!(page.contains(part), "{method}: {part}");
        }
        assert!(!page.contains("://") && !page.contains("NaN"));

        // one more is done behind them, and nothing again
        let before = fs::read_to_string(out.join("rounds.jsonl")).expect("it was written");
        let output = rlhf(&workshop, "out", &["--resume", "--set", "rounds=3"]);
        assert!(output.status.success(), "{method}: {}", stderr(&output));
        let after = fs::read_to_string(out.join("rounds.jsonl")).expect("it was written");
        assert!(after.starts_with(&before) && after.lines().count() == 3, "{method}: {after}");
    }
}

/// Killed wherever it stands, it goes on, and ends as an unbroken one.
#[test]
fn a_kill_loses_nothing() {
    let workshop = workshop("dpo");
    let (config, out) = (workshop.path().join("rlhf.toml"), workshop.path().join("killed"));
    let arguments = ["rlhf", text(&config), "--out", text(&out), "--quiet"];
    let places = [
        "tuned/metrics.jsonl",
        "round-1/labels/labels.sqlite",
        "round-1/reward/checkpoints",
        "round-1/policy/metrics.jsonl",
        "round-2/rankings.jsonl",
    ];
    for (number, place) in places.into_iter().enumerate() {
        let more: &[&str] = if number > 0 { &["--resume"] } else { &[] };
        let mut command = program(&[&arguments[..], more].concat());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it can be started");
        wait_until(|| out.join(place).exists());
        child.kill().expect("it was started");
        child.wait().expect("it was started");
    }
    for (out, more) in [("killed", &["--resume"][..]), ("whole", &[])] {
        let output = rlhf(&workshop, out, more);
        assert!(output.status.success(), "{out}: {}", stderr(&output));
    }
    for name in ["rounds.jsonl", "samples.jsonl"] {
        let [killed, whole] = ["killed", "whole"].map(|out| lines(&workshop.path().join(out).join(name)));
        assert_eq!(killed, whole, "{name}");
    }
}

/// A labeler that does not do its part is named with the line; whoever goes on has the same configuration, and another is told what differs.
#[test]
fn other_rounds_are_refused() {
    let workshop = workshop("ppo");
    let ends = workshop.script("ends", r#"read -r line; echo '{"ranks": [1, 2, 3]}'; exit 3"#);
    let labeler = format!("label.labeler={}", text(&ends));
    let refused = |more: &[&str]| {
        let output = rlhf(&workshop, "out", &[&["--set", labeler.as_str()], more].concat());
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        stderr(&output)
    };
    let said = refused(&[]);
    assert!(said.contains("ends, line 2: it has ended (exit status: 3)"), "{said}");
    assert!(refused(&[]).contains("already holds a training"));
    let said = refused(&["--resume", "--set", "label.answers=2", "--set", "seed=4"]);
    for differs in ["rounds.json was begun in another way", "`label.answers` was 3, and is 2", "`seed` was 1, and is 4"]
    {
        assert!(said.contains(differs), "{differs}: {said}");
    }
    let change = |name: &str, more: &str| {
        let before = fs::read_to_string(workshop.path().join(name)).expect("it was written");
        write(&workshop, name, &(before.clone() + more));
        let said = refused(&["--resume"]);
        write(&workshop, name, &before);
        said
    };
    for (name, more, key) in [
        ("ends", "# mended\n", "label.labeler"),
        ("prompts.jsonl", "{\"prompt\": \"Another\"}\n", "prompts.mixture"),
        ("reward.toml", "# as before\n", "reward.config"),
        ("tune.toml", "# as before\n", "demonstrations.config"),
        ("ppo.toml", "# as before\n", "policy.config"),
    ] {
        let said = change(name, more);
        assert!(said.contains(&format!("`{key}` was SHA-256 ")) && said.matches("was SHA-256").count() == 1, "{said}");
    }
    let said = change("reward.toml", "\n[head]\nsize = 1\n");
    assert!(said.contains("reward.toml:") && said.contains("unknown field `head`"), "{said}");
    // one that ranks as it did before goes on behind what it said
    assert!(refused(&["--resume"]).contains("ends, line 2"));
    assert!(refused(&["--set", "rounds=0"]).contains("--set rounds=0: it has to be 1 or more"));
    let said = refused(&["--set", "prompts.mixture=missing.jsonl"]);
    assert!(said.contains("--set prompts.mixture=") && said.contains("there is no file or folder"), "{said}");
    let output = rlhf(&workshop, "none", &["--resume"]);
    assert!(stderr(&output).contains("none holds no checkpoint"), "{}", stderr(&output));
}

/// Without a labeler a round waits for people, says how they are asked and how it goes on, and ends as an interrupted training does.
#[test]
fn people_are_waited_for() {
    let workshop = workshop("dpo");
    write(&workshop, "rlhf.toml", &RLHF.replace("METHOD", "dpo").replace("labeler = \"vowels\"\n", ""));
    let labeler = workshop.path().join("vowels");
    // what serves the page, behind its name
    let waits = |more: &[&str], round: usize, there: usize| -> Vec<String> {
        let output = rlhf(&workshop, "out", more);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(130), "{said}");
        let waiting = format!("round {round} waits for people: {there} of {COUNT} rankings are there");
        assert!(said.contains(&waiting), "{waiting}: {said}");
        let config = workshop.path().join("rlhf.toml");
        let goes_on = format!("train rlhf {} --out {} --resume", text(&config), text(&workshop.path().join("out")));
        assert!(said.contains(&goes_on), "{goes_on}: {said}");
        let command = said.lines().find_map(|line| line.trim().strip_prefix("train label serve "));
        command.expect("a command is said").split(' ').map(str::to_owned).collect()
    };
    // a program in the place of people, into the folder and with the numbers that the command has
    let rank = |words: &[String], count: &str| {
        let words = words.iter().map(String::as_str);
        let arguments: Vec<&str> =
            ["label", "run"].into_iter().chain(words).chain(["--labeler", text(&labeler), "--count", count]).collect();
        let output = train(&arguments);
        assert!(output.status.success(), "{}", stderr(&output));
    };
    let words = waits(&[], 1, 0);
    rank(&words, "5");
    assert_eq!(waits(&["--resume"], 1, 5), words);
    rank(&words, "19");
    let words = waits(&["--resume"], 2, 0);
    assert!(words[0].ends_with("out/round-2/labels") && words.contains(&"2".to_owned()), "{words:?}");
    rank(&words, "24");
    let output = rlhf(&workshop, "out", &["--resume"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(lines(&workshop.path().join("out/rounds.jsonl")).len(), 2);
}

//! Policies: what ends their training, what is said of their rewards, and what becomes of them.

use std::{fs, process::Output};

use serde_json::{Value, json};

use crate::support::{Workshop, stderr, text, train};

const PPO: &str = r#"seed = 1
[data]
mixture = "prompts.jsonl"
validation = 0.2
[model]
from = "base"
[reward]
program = "reward.sh"
[ppo]
episodes = 8
epochs = 2
max_new_tokens = 5
[training]
steps = 12
batch_size = 4
log_every = 4
evaluate_every = 12
save_every = 12
[learning_rate]
peak = 1e-2
"#;

/// Rewards an answer by its length.
const BY_LENGTH: &str =
    r#"sed 's/.*"answer":"\(.*\)","prompt".*/\1/' | awk '{ printf "{\"reward\": %d}\n", length($0) }'"#;

/// A workshop with a model, prompts, a program that rewards, and a configuration.
fn workshop() -> Workshop {
    let workshop = Workshop::new();
    workshop.pretrain_well("base", &["--until", "3"]);
    let prompts: String =
        (0..40).map(|number| json!({"prompt": format!("the number {number}")}).to_string() + "\n").collect();
    fs::write(workshop.path().join("prompts.jsonl"), prompts).expect("it can be written");
    rewarded_by(&workshop, BY_LENGTH);
    fs::write(workshop.path().join("ppo.toml"), PPO).expect("it can be written");
    workshop
}

fn rewarded_by(workshop: &Workshop, script: &str) {
    workshop.script("reward.sh", script);
}

fn ppo(workshop: &Workshop, out: &str, more: &[&str]) -> Output {
    let (config, out) = (workshop.path().join("ppo.toml"), workshop.path().join(out));
    train(&[&["ppo", text(&config), "--out", text(&out)], more].concat())
}

fn ppo_well(workshop: &Workshop, out: &str, more: &[&str]) -> String {
    let output = ppo(workshop, out, more);
    assert!(output.status.success(), "{}", stderr(&output));
    stderr(&output)
}

fn refused(workshop: &Workshop, out: &str, more: &[&str]) -> String {
    let output = ppo(workshop, out, more);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    stderr(&output)
}

/// A policy that leaves its reference ends with the numbers; what it learnt is saved, and goes on from there when more is allowed.
#[test]
fn a_policy_that_runs_away_is_stopped_and_can_go_on() {
    let workshop = workshop();
    let free = ["--set", "ppo.kl_coefficient=0", "--set", "learning_rate.peak=0.05"];
    let said = refused(&workshop, "away", &[&free[..], &["--set", "ppo.max_kl=0.001"]].concat());
    assert!(
        said.contains("the policy has left its reference: a KL divergence of") && said.contains("over 0.001"),
        "{said}"
    );
    assert_eq!(workshop.saved("away").len(), 1, "{said}");
    ppo_well(&workshop, "away", &[&free[..], &["--set", "ppo.max_kl=1000", "--resume"]].concat());
    ppo_well(&workshop, "unbroken", &free);
    assert!(workshop.checkpoint("away", 12) == workshop.checkpoint("unbroken", 12), "it went another way");
}

/// A program that says what is no reward is named with its line, and one that rewards all alike is said.
#[test]
fn rewards_that_teach_nothing_are_named() {
    let workshop = workshop();
    rewarded_by(&workshop, "sed 's/.*/{\"reward\": null}/'");
    let said = refused(&workshop, "null", &[]);
    assert!(said.contains("reward.sh") && said.contains("line 1 of its output is no `{\"reward\": number}`"), "{said}");
    rewarded_by(&workshop, "cat > /dev/null; exit 3");
    assert!(refused(&workshop, "failing", &[]).contains("it ended with exit status: 3"));
    rewarded_by(&workshop, "sed 's/.*/{\"reward\": 0.5}/'");
    let said = ppo_well(&workshop, "constant", &[]);
    assert!(said.contains("all 8 answers of rollout 0 have the same score, 0.5"), "{said}");
}

/// Sampling that is not pure is refused with the reason, and so are numbers that mean nothing.
#[test]
fn what_makes_no_sense_is_refused() {
    let workshop = workshop();
    for (setting, message) in [
        ("ppo.top_k=40", "answers are drawn from the whole distribution"),
        ("ppo.episodes=6", "a batch size of 4 does not divide 6 episodes"),
        ("ppo.max_new_tokens=4000", "there is no room for a prompt before 4000"),
        ("reward.label=good", "only a classifier has classes"),
        ("reward.model=base", "[reward] names one of `model`, `classifier` and `program`"),
    ] {
        let said = refused(&workshop, "refused", &["--set", setting]);
        assert!(said.contains(message), "{setting}: {said}");
    }
}

/// A reward model may read less than the policy: prompts are cut for both. Adapters that a policy goes on from are part of its reference. What
/// comes out writes, is exported, and is gone on from.
#[test]
fn a_policy_is_held_to_what_it_began_as() {
    let workshop = workshop();
    let answers = |number: usize| {
        let row = json!({"prompt": format!("the number {number}"), "chosen": format!(" {number}"), "rejected": " no"});
        row.to_string() + "\n"
    };
    fs::write(workshop.path().join("pairs.jsonl"), (0..60).map(answers).collect::<String>())
        .expect("it can be written");
    let base = "seed = 1\n[data]\nmixture = \"pairs.jsonl\"\nvalidation = 0.2\n[model]\nfrom = \"base\"\n";
    let steps = "[training]\nsteps = 6\nbatch_size = 4\n[learning_rate]\npeak = 1e-2\n";
    let lora = "[lora]\nrank = 2\nalpha = 4\ntargets = \"all-linear\"\n";
    let run = |name: &str, program: &str, config: String| {
        let path = workshop.path().join(format!("{name}.toml"));
        fs::write(&path, config).expect("it can be written");
        let output = train(&[program, text(&path), "--out", text(&workshop.path().join(name))]);
        assert!(output.status.success(), "{name}: {}", stderr(&output));
        stderr(&output)
    };
    run("judge", "reward", format!("{base}context_length = 20\n{steps}"));
    run("adapted", "dpo", format!("{base}{lora}{steps}"));
    let [adapted, adapter] = ["adapted", "adapter"].map(|name| workshop.path().join(name));
    let output = train(&["export", text(&adapted), "--adapter", "--out", text(&adapter)]);
    assert!(output.status.success(), "{}", stderr(&output));
    let config = PPO.replace("program = \"reward.sh\"", "model = \"judge\"") + "[lora]\nfrom = \"adapter\"\n";
    let said = run("policy", "ppo", config);
    assert!(said.contains("have 19 tokens at most, since the reward model reads 20"), "{said}");
    let first = workshop.metrics("policy").into_iter().find(|line| !line["validation_kl"].is_null());
    let kl = first.as_ref().and_then(|line| line["validation_kl"].as_f64()).expect("it was evaluated");
    assert!(kl.abs() < 1e-4, "it begins {kl} nats from its reference");

    let [policy, exported] = ["policy", "exported"].map(|name| workshop.path().join(name));
    for arguments in [
        &["generate", text(&policy), "--prompt", "the number 3", "--tokens", "4"][..],
        &["export", text(&policy), "--out", text(&exported)],
    ] {
        let output = train(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
    }
    let said = run("next", "dpo", base.replace("\"base\"", "\"policy\"") + steps);
    assert!(said.contains("nothing is fresh") && !said.contains("value."), "{said}");
    let config: Value =
        serde_json::from_slice(&fs::read(exported.join("config.json")).expect("it is there")).expect("JSON");
    assert!(config["architectures"].is_array(), "{config}");
}

/// What a reward stands for is told beside it and changes nothing; the best of n answers and all answers are kept, and a page shows them.
#[test]
fn what_a_reward_stands_for_is_watched() {
    let workshop = workshop();
    let gold = workshop.script("gold.sh", &format!("{BY_LENGTH} | sed 's/: /: -/; s/-0/0/'"));
    let gold = format!("gold_reward={{ program = \"{}\" }}", text(&gold));
    let watched = ["--set", gold.as_str(), "--set", "ppo.best_of_n=3"];
    let said = ppo_well(&workshop, "watched", &[&watched[..], &["--until", "5"]].concat());
    assert!(said.contains("best of 2 answers of the reference: reward"), "{said}");
    let said = ppo_well(&workshop, "watched", &[&watched[..], &["--resume"]].concat());
    assert!(!said.contains("best of 2"), "it is known by then: {said}");
    ppo_well(&workshop, "plain", &[]);
    assert!(workshop.checkpoint("watched", 12) == workshop.checkpoint("plain", 12), "watching changes nothing");

    let out = workshop.path().join("watched");
    let rows = |name: &str| -> Vec<Value> {
        let text = fs::read_to_string(out.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
    };
    let opposite = |line: &Value, reward: &str, gold: &str| {
        let [reward, gold] = [reward, gold].map(|key| line[key].as_f64().expect("it is a number"));
        assert!((reward + gold).abs() < 1e-9, "{line}");
    };
    for line in rows("metrics.jsonl").iter().filter(|line| line["validation_reward"].is_f64()) {
        opposite(line, "validation_reward", "validation_gold_reward");
        let answers = rows(&format!("answers/step-{:08}.jsonl", line["step"].as_u64().expect("a step")));
        assert_eq!(Some(answers.len() as u64), line["validation_prompts"].as_u64());
        for answer in &answers {
            opposite(answer, "reward", "gold_reward");
            let length = answer["answer"].as_str().expect("a text").chars().count();
            assert!(answer["reward"].as_f64() >= Some(0.0) && length <= 60, "{answer}");
        }
    }
    let best = rows("best_of_n.jsonl");
    assert_eq!(best.iter().map(|best| best["n"].as_u64()).collect::<Vec<_>>(), [1, 2, 3].map(Some));
    best.iter().for_each(|best| opposite(best, "reward", "gold_reward"));
    let page = fs::read_to_string(out.join("report.html")).expect("it was written");
    assert!(["gold-chart", "best of n", "<h3>after: "].iter().all(|part| page.contains(part)), "{page}");
    let unknown = refused(&workshop, "unknown", &["--set", "gold_reward={ label = \"1\" }"]);
    assert!(unknown.contains("only a classifier has classes"), "{unknown}");
}

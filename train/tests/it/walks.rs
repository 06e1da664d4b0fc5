//! Random walks on a graph: reinforcement where the best that can be done is known.
//!
//! A model has read random walks to a goal. It is asked to go there from each node, and rewarded by how short its way is: 1 for the shortest, 0
//! for ten nodes, for what is no edge, and for what does not arrive.
//!
//! Source: Chen et al. 2021 (Decision Transformer), section 4.1; the setting of 21 nodes, edges with a probability of a tenth, and walks of ten
//! nodes at most is that of trlX's example.

use std::{collections::VecDeque, fmt::Write as _, fs, os::unix::fs::PermissionsExt as _, path::Path};

use fixtures::dice::Dice;
use serde_json::{Value, json};
use train::rollout::best_of_n_kl;

use crate::support::{stderr, text, train};

const NODES: usize = 21;
const LONGEST: usize = 10;
const GOAL: usize = 0;

/// A directed graph: where one can go from each node.
struct Graph(Vec<Vec<usize>>);

impl Graph {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed, "graph");
        let edges = |node: usize, dice: &mut Dice| {
            let mut to: Vec<usize> = (0..NODES).filter(|other| *other != node && dice.below(10) == 0).collect();
            if to.is_empty() {
                to.push((node + 1 + dice.below(NODES - 1)) % NODES);
            }
            to
        };
        Self((0..NODES).map(|node| edges(node, &mut dice)).collect())
    }

    /// Nodes of the shortest way from each node to the goal, both among them; none where there is none of ten nodes at most.
    fn shortest(&self) -> Vec<Option<usize>> {
        let mut nodes = vec![None; NODES];
        nodes[GOAL] = Some(1);
        let mut queue = VecDeque::from([GOAL]);
        while let Some(at) = queue.pop_front() {
            for from in 0..NODES {
                if nodes[from].is_none() && self.0[from].contains(&at) {
                    nodes[from] = nodes[at].map(|count| count + 1).filter(|count| *count <= LONGEST);
                    queue.push_back(from);
                }
            }
        }
        nodes
    }

    /// A walk from a node until the goal, or until it is as long as it may be.
    fn walk(&self, from: usize, dice: &mut Dice) -> String {
        let (mut at, mut walk) = (from, String::from(letter(from)));
        for _ in 1..LONGEST {
            if at == GOAL {
                break;
            }
            at = *dice.pick(&self.0[at]);
            walk.push(letter(at));
        }
        walk
    }

    /// A program that rewards walks.
    fn rewards(&self, path: &Path) {
        let mut script = String::from("#!/usr/bin/awk -f\nBEGIN {\n");
        for (from, others) in self.0.iter().enumerate() {
            for to in others {
                writeln!(script, "  edge[\"{}{}\"] = 1", letter(from), letter(*to)).expect("memory can be written");
            }
        }
        for (from, nodes) in self.shortest().into_iter().enumerate() {
            let nodes = nodes.unwrap_or(LONGEST);
            writeln!(script, "  shortest[\"{}\"] = {nodes}", letter(from)).expect("memory can be written");
        }
        script += r#"}
function of(key) {
  match($0, "\"" key "\":\"[^\"]*\"")
  return substr($0, RSTART + length(key) + 4, RLENGTH - length(key) - 5)
}
{
  walk = of("prompt") of("answer"); start = substr(walk, 1, 1); count = length(walk); sound = 1
  for (place = 1; place < count; place++) if (!(substr(walk, place, 2) in edge)) sound = 0
  best = shortest[start]
  reward = sound && substr(walk, count) == "a" && count <= 10 ? 1 - (count - best) / (10 - best + 0.0001) : 0
  printf "{\"reward\": %.6f}\n", reward
}
"#;
        fs::write(path, script).expect("it can be written");
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it can be made executable");
    }
}

fn letter(node: usize) -> char {
    char::from(b'a' + u8::try_from(node).expect("few nodes"))
}

const PRETRAIN: &str = r#"seed = 1
[data]
mixture = "walks.jsonl"
tokenizer = "tokenizer.json"
packing = "padded"
document_masking = true
validation = 0.05
[model]
num_layers = 2
num_heads = 4
hidden_size = 64
context_length = 16
[training]
steps = 250
batch_size = 64
evaluate_every = 250
save_every = 250
[learning_rate]
peak = 3e-3
warmup_steps = 20
"#;

const PPO: &str = r#"
[data]
mixture = "starts"
[model]
from = "pretrained"
[reward]
program = "rewards.awk"
[ppo]
episodes = 120
epochs = 4
max_new_tokens = 10
best_of_n = 16
kl_coefficient = 0.0
value_weight = 0.5
[training]
steps = 640
batch_size = 60
evaluate_every = 640
save_every = 640
evaluate_sequences = 200
[learning_rate]
peak = 1e-3
warmup_steps = 10
"#;

/// From three seeds, what the model writes gets from some way of the best that is possible to nearly all of it: further than the best of
/// several of its walks does without any training.
#[test]
fn a_policy_finds_the_shortest_ways() {
    let folder = tempfile::tempdir().expect("the temporary folder can be written");
    let path = |name: &str| folder.path().join(name);
    let graph = Graph::new(3);
    let shortest = graph.shortest();
    let starts: Vec<usize> = (1..NODES).filter(|node| shortest[*node].is_some()).collect();
    assert!(starts.len() > 10, "from most nodes there is a way: {shortest:?}");
    let mut dice = Dice::new(1, "walks");
    let walks: String =
        (0..1000).map(|_| json!({"text": graph.walk(*dice.pick(&starts), &mut dice)}).to_string() + "\n").collect();
    fs::write(path("walks.jsonl"), walks).expect("it can be written");
    fs::create_dir(path("starts")).expect("it can be made");
    let prompts: String =
        starts.iter().map(|node| json!({"prompt": letter(*node).to_string()}).to_string() + "\n").collect();
    // answers to the same prompts are judged by draws of their own
    for (name, times) in [("train", 1), ("validation", 8)] {
        fs::write(path(&format!("starts/{name}-0.jsonl")), prompts.repeat(times)).expect("it can be written");
    }
    graph.rewards(&path("rewards.awk"));
    let run = |arguments: &[&str]| {
        let output = train(arguments);
        assert!(output.status.success(), "{}", stderr(&output));
    };
    let [corpus, tokenizer] = ["walks.jsonl", "tokenizer.json"].map(path);
    // bytes and the end of a text: a node is a token
    run(&["tokenizer", text(&corpus), "--vocab-size", "257", "--out", text(&tokenizer)]);
    fs::write(path("pretrain.toml"), PRETRAIN).expect("it can be written");
    run(&["pretrain", text(&path("pretrain.toml")), "--out", text(&path("pretrained"))]);
    for seed in 1..=3 {
        let (config, out) = (path(&format!("{seed}.toml")), path(&format!("ppo-{seed}")));
        fs::write(&config, format!("seed = {seed}\n{PPO}")).expect("it can be written");
        run(&["ppo", text(&config), "--out", text(&out)]);
        let metrics = fs::read_to_string(out.join("metrics.jsonl")).expect("there are metrics");
        let rewards: Vec<f64> = metrics
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"))
            .filter_map(|line| line["validation_reward"].as_f64())
            .collect();
        let (before, after) = (rewards[0], *rewards.last().expect("it was evaluated"));
        assert!(before < 0.7, "seed {seed}: random walks are none of the shortest: {before}");
        assert!(after > 0.9, "seed {seed}: from {before} to {after}");
        let best_of_n = fs::read_to_string(out.join("best_of_n.jsonl")).expect("it was asked for");
        let best: Vec<(usize, f64, f64)> = best_of_n
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"))
            .map(|line| {
                let number = |key: &str| line[key].as_f64().expect("it is a number");
                (usize::try_from(line["n"].as_u64().expect("a count")).expect("few"), number("reward"), number("kl"))
            })
            .collect();
        let counts: Vec<usize> = best.iter().map(|(n, ..)| *n).collect();
        assert_eq!(counts, [1, 2, 4, 8, 16]);
        assert!(best.iter().all(|(n, _, kl)| (kl - best_of_n_kl(*n)).abs() < 1e-12));
        assert!(best.is_sorted_by(|one, other| one.1 < other.1), "more to choose from is better: {best:?}");
        assert!((best[0].1 - before).abs() < 0.1, "one of one is what is written: {best:?}, {before}");
        assert!(after > best[2].1, "no better than the best of four: {after}, {best:?}");
    }
}

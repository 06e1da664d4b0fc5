#!/usr/bin/env python3
"""What encoders gain by hard negatives, by batches, and by a second round: the order of DPR's table 3 (Karpukhin et al. 2020).

    retrieval_ablations.py TRAIN MODEL PAIRS OUT [--pairs 2000] [--epochs 3] [--seeds 3] [--arms ...] [--jobs 2]

TRAIN is the program, MODEL the training that encoders begin from, PAIRS a folder that `retrieval_pairs.py` made. Of each arm it prints top-1, 5, 20, 100
and the mean reciprocal rank of PAIRS/test.jsonl among PAIRS/documents.jsonl, as the mean of the seeds with the standard deviation of one.

    untrained   MODEL's own states
    batch-N     N questions in a batch, and their passages alone
    hard-N      the same, with a negative of each by BM25
    round-2     as hard-32, with negatives that the encoders of hard-32 took for an answer
    +BM25       the score of BM25 and 5 times the similarity, by the encoders of the arm before
"""

import argparse
import concurrent.futures
import json
import re
import statistics
import subprocess
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("train")
parser.add_argument("model")
parser.add_argument("pairs", type=Path)
parser.add_argument("out", type=Path)
parser.add_argument("--count", "--pairs", dest="count", type=int, default=2000)
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--seeds", type=int, default=3)
parser.add_argument("--jobs", type=int, default=2)
parser.add_argument("--arms", nargs="+", default=["untrained", "batch-8", "batch-32", "batch-128", "hard-32", "hard-128", "round-2"])
asked = parser.parse_args()

CONFIG = """
[data]
mixture = {mixture}
[model]
from = {model}
context_length = 48
dropout = 0.1
[encoder]
shared = true
pooling = "mean"
similarity = "cosine"
hard_negatives = {hard}
[training]
epochs = {epochs}
batch_size = {batch}
evaluate_every = 100000
save_every = 100000
log_every = 100
keep = 1
[learning_rate]
peak = 1e-3
shape = "linear"
warmup_ratio = 0.1
final_share = 0.0
"""
FIGURES = ["top-1", "top-5", "top-20", "top-100", "MRR@100"]


def train(*words):
    done = subprocess.run([asked.train, *map(str, words), "--threads", "1"], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"train {' '.join(map(str, words))}: {done.stderr}")
    return done.stdout


def index(folder, documents, *encoder):
    if not (folder / "index.json").exists():
        train("index", "build", folder, documents, *encoder)
    return folder


def hard(folder, searched, *by):
    """Pairs to train on with negatives, and pairs for validation."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ["train", "validation"]:
        rows = (asked.pairs / f"{name}.jsonl").read_text().splitlines(keepends=True)
        questions = folder / f"{name}.questions"
        questions.write_text("".join(rows[: asked.count if name == "train" else 200]))
        negatives = folder / f"{name}-0.jsonl"
        if not negatives.exists():
            train("search", searched, "--questions", questions, "--negatives", negatives, "--most-negatives", 5, *by)
    return folder


def judged(searched, *by):
    printed = train("search", searched, "--questions", asked.pairs / "test.jsonl", *by)
    return [float(re.search(rf"^{re.escape(name)} +([0-9.]+)", printed, re.M)[1]) for name in FIGURES]


def encoders(arm, seed, mixture):
    kind, _, batch = arm.partition("-")
    out = asked.out / f"{arm}-{seed}"
    if not (out / "evaluation.json").exists():
        config = asked.out / f"{arm}-{seed}.toml"
        hard_negatives, batch = (1, 32) if kind == "round" else (int(kind == "hard"), int(batch or 32))
        settings = {"mixture": json.dumps(str(mixture)), "model": json.dumps(asked.model), "hard": hard_negatives}
        config.write_text(f"seed = {seed}\n" + CONFIG.format(epochs=asked.epochs, batch=batch, **settings))
        train("retrieve", config, "--plain", "--out", out, *(["--until", 0] if arm == "untrained" else []))
    return out


def run(arm, seed):
    mixture = by_words
    if arm.startswith("round"):
        first = encoders("hard-32", seed, by_words)
        mined = index(asked.out / f"mined-{seed}", asked.pairs / "train-documents.jsonl", "--encoder", first)
        mixture = hard(asked.out / f"harder-{seed}", mined, "--by", "vectors")
    dense = index(asked.out / f"index-{arm}-{seed}", asked.pairs / "documents.jsonl", "--encoder", encoders(arm, seed, mixture))
    return arm, judged(dense, "--by", "vectors"), judged(dense, "--by", "hybrid", "--vector-weight", 5)


def shown(name, rows):
    cells = []
    for column in zip(*rows):
        spread = f" ({statistics.stdev(column):.3f})" if len(column) > 1 else ""
        cells.append(f"{statistics.mean(column):.3f}{spread}")
    print(f"| {name} | {' | '.join(cells)} |", flush=True)


asked.out.mkdir(parents=True, exist_ok=True)
words = index(asked.out / "words", asked.pairs / "documents.jsonl")
by_words = hard(asked.out / "hard", index(asked.out / "train-words", asked.pairs / "train-documents.jsonl"))
runs = [(arm, seed) for arm in asked.arms for seed in range(1, asked.seeds + 1)]
# a second round begins when the first is there
runs.sort(key=lambda run: run[0].startswith("round"))
found = {}
with concurrent.futures.ThreadPoolExecutor(asked.jobs) as jobs:
    for last in [False, True]:
        for arm, *rows in jobs.map(lambda each: run(*each), [each for each in runs if each[0].startswith("round") == last]):
            found.setdefault(arm, []).append(rows)
print(f"| | {' | '.join(FIGURES)} |\n|---|{'---|' * len(FIGURES)}")
shown("BM25", [judged(words)])
for arm in asked.arms:
    shown(arm, [rows[0] for rows in found[arm]])
    shown("+BM25", [rows[1] for rows in found[arm]])

#!/usr/bin/env python3
"""Ranks answers by a classifier, as a judge would: judge_rankings.py TRAIN CLASSIFIER ANSWERS.jsonl OUT COUNT

ANSWERS are rows of `prompt` and `answers`, such as `train label export` writes, whatever their ranks. OUT/train-0.jsonl has the first COUNT of them,
ranked by the log-odds of the classifier's second class on each answer, OUT/validation-0.jsonl all behind the first 1,300.

Takes pyarrow.
"""

import json
import math
import pathlib
import subprocess
import sys
import tempfile

import pyarrow.parquet

program, classifier, answers, out, count = sys.argv[1:]
rows = [json.loads(line) for line in open(answers, encoding="utf-8")]
with tempfile.TemporaryDirectory() as folder:
    texts, found = pathlib.Path(folder, "texts.jsonl"), pathlib.Path(folder, "found.parquet")
    sequences = (f"<|start|>{answer.strip()}<|extract|>" for row in rows for answer in row["answers"])
    texts.write_text("".join(json.dumps({"sequences": [text], "label": 0}) + "\n" for text in sequences))
    subprocess.run([program, "classify", "--predict", classifier, texts, "--out", found], check=True, stdout=subprocess.DEVNULL)
    each = iter(pyarrow.parquet.read_table(found)["probabilities"].to_pylist())
ranked = []
for row in rows:
    scores = [math.log(max(yes, 1e-9) / max(no, 1e-9)) for no, yes in (next(each) for _ in row["answers"])]
    ranks = [1 + sum(other > own for other in scores) for own in scores]
    ranked.append(json.dumps({"prompt": row["prompt"], "answers": row["answers"], "ranks": ranks}) + "\n")
folder = pathlib.Path(out)
folder.mkdir(parents=True, exist_ok=True)
(folder / "train-0.jsonl").write_text("".join(ranked[: int(count)]))
(folder / "validation-0.jsonl").write_text("".join(ranked[1300:]))

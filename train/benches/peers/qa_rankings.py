#!/usr/bin/env python3
"""Makes rankings of questions that people compared answers to: qa_rankings.py DATA/preference/qa_dev_feedback.json.gz OUT.

OUT/train-0.jsonl has 400 questions, OUT/validation-0.jsonl 100: rows of `prompt`, four `answers` and their `ranks`, of which some are equal.
`curate render qa_feedback` has the same comparisons as pairs, behind their passages; here all four answers stand in one row, behind the question alone.
Comparisons stand in the file pair by pair (1 2, 1 3, 1 4, 2 3, 2 4, 3 4; 0 as good, 1 the first is better, 2 the second); all can be said by ranks.
"""

import gzip
import itertools
import json
import pathlib
import random
import sys

source, out = sys.argv[1:]
rows = []
for entry in json.load(gzip.open(source)):
    wins = [0] * 4
    for (one, other), better in zip(itertools.combinations(range(4), 2), entry["preference"], strict=True):
        wins[one] += (better == 1) - (better == 2)
        wins[other] += (better == 2) - (better == 1)
    ranks = [1 + sum(other > own for other in wins) for own in wins]
    answers = [" " + entry[f"prediction {place}"].strip() for place in range(1, 5)]
    rows.append({"prompt": f"Question: {entry['question'].strip()}\nAnswer:", "answers": answers, "ranks": ranks})
random.Random(1).shuffle(rows)
folder = pathlib.Path(out)
folder.mkdir(parents=True, exist_ok=True)
for name, part in [("train", rows[:400]), ("validation", rows[400:])]:
    (folder / f"{name}-0.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))

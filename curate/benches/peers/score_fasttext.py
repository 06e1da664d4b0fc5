"""Compares a fastText classifier with the original: label by label, and in documents per second.

    python score_fasttext.py CURATE MODEL DOCS.jsonl

MODEL is a folder of `curate classifier train --kind fasttext`, DOCS holds objects with `text`. The original reads the same `model.bin`, on
lines that are prepared beforehand as `curate` prepares them; its time is that of predicting alone. That of `curate` is printed by
`cargo bench --bench scoring`.

Takes fasttext 0.9.2 or later; one thread.
"""

import json
import math
import re
import subprocess
import sys
import time

import fasttext

curate, folder, path = sys.argv[1:]
texts = [json.loads(line)["text"] for line in open(path) if line.strip()]
stored = json.load(open(f"{folder}/model.json"))
lines = []
for text in texts:
    line = re.sub(r"[\n\r]", " ", text)
    if stored["text"] == "plain":
        line = re.sub(r"([.!?,;:'\"()\[\]/*-])", r" \1 ", line).lower()
    lines.append(line)
model = fasttext.load_model(f"{folder}/model.bin")
for _ in range(3):
    start = time.time()
    labels, probabilities = model.predict(lines)
    took = time.time() - start
    print(f"fastText: {len(lines) / took:.0f} documents/s, {sum(map(len, texts)) / took / 1e6:.1f} MB/s")

scored = subprocess.run([curate, "classifier", "score", "--model", folder, path, "--score", "its_score", "--min-known", "0"], capture_output=True, text=True, check=True)
slope, intercept = stored["calibration"]["slope"], stored["calibration"]["intercept"]
same = near = 0
for line, label in zip(scored.stdout.splitlines(), labels):
    score = min(max(json.loads(line)["its_score"], 5e-7), 1 - 5e-7)
    odds = (math.log(score / (1 - score)) - intercept) / slope
    ours = "__label__hq" if odds > 0 else "__label__cc"
    same += ours == label[0]
print(f"the same label: {same} of {len(labels)}")

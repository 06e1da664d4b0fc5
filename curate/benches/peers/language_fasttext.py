"""Compares languages with fastText's own answers: label by label, and in documents per second.

    python language_fasttext.py CURATE MODEL.ftz DOCS.jsonl

Prints how many labels of documents differ, how fast both are (fastText alone with the text in memory; the whole program
with reading and printing, one thread), and, where DOCS have a key `language`, how many labels are right.

Takes fasttext.
"""

import collections
import json
import subprocess
import sys
import time

import fasttext


def main():
    curate, path, docs = sys.argv[1:]
    rows = [json.loads(line) for line in open(docs)]
    rows = [row for row in rows if row["text"].strip()]
    model = fasttext.load_model(path)
    start = time.time()
    theirs = [model.predict(row["text"].replace("\n", " ").replace("\r", " ")) for row in rows]
    took = time.time() - start
    print(f"fastText: {len(rows)} documents, {len(rows) / took:.0f} documents/s")

    command = [curate, "measure", "-q", "--threads", "1", "--facts", "none", "--language", path, docs]
    times = []
    for _ in range(3):
        start = time.time()
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        times.append(time.time() - start)
    took = sorted(times)[1]
    print(f"curate measure: {len(rows) / took:.0f} documents/s")

    ours = [json.loads(line) for line in output.splitlines()]
    assert len(ours) == len(rows), f"{len(ours)} answers to {len(rows)} documents"
    differ = 0
    for row, (labels, probabilities), our in zip(rows, theirs, ours):
        their = labels[0].removeprefix("__label__") if labels else None
        if their != our.get("language"):
            differ += 1
            print(f"  {their} {probabilities[0]:.6f}, curate {our.get('language')}: {row['text'][:60]!r}")
    print(f"{differ} of {len(rows)} labels differ")
    if "language" in rows[0]:
        right = collections.Counter()
        for row, our in zip(rows, ours):
            right[row["language"]] += row["language"] == our.get("language")
        total = collections.Counter(row["language"] for row in rows)
        print(f"{sum(right.values()) / len(rows):.2%} of labels are right; by language:")
        print(" ".join(f"{name} {right[name] / total[name]:.3f}" for name in sorted(total)))


if __name__ == "__main__":
    main()

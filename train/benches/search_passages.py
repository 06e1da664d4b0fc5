#!/usr/bin/env python3
"""Makes what searches are measured on: search_passages.py DATA OUT (650 MB, half a minute).

OUT/xquad.jsonl, xquad-questions.jsonl          XQuAD's English paragraphs, and the questions on each
OUT/passages.jsonl, passages-questions.jsonl    books and forum posts in passages of 100 words; of every sixtieth, eight words as a question
OUT/million.jsonl                               a million passages, each the beginning of one of these and the end of another
"""

import gzip
import json
import pathlib
import random
import sys

data, out = map(pathlib.Path, sys.argv[1:])
out.mkdir(parents=True, exist_ok=True)


def write(name, rows):
    with open(out / f"{name}.jsonl", "w", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


paragraphs, questions = [], []
for document in json.load(open(data / "tasks/xquad.en.json", encoding="utf-8"))["data"]:
    for paragraph in document["paragraphs"]:
        name = f"p{len(paragraphs)}"
        questions += [{"query": question["question"], "relevant": [name]} for question in paragraph["qas"]]
        paragraphs.append({"id": name, "text": paragraph["context"]})
write("xquad", paragraphs)
write("xquad-questions", questions)

passages, questions = [], []
for source in ["books", "forum"]:
    for line in gzip.open(data / f"text/{source}.jsonl.gz", "rt", encoding="utf-8"):
        words = json.loads(line).get("text", "").split()
        for begin in range(0, len(words), 100):
            own = words[begin : begin + 100]
            if len(own) < 20:
                continue
            number = len(passages)
            if number % 60 == 7:
                first = random.Random(number).randrange(len(own) - 8)
                questions.append({"query": " ".join(own[first : first + 8]), "relevant": [f"{source[0]}{number}"]})
            passages.append((f"{source[0]}{number}", own))
write("passages", ({"id": name, "text": " ".join(words)} for name, words in passages))
write("passages-questions", questions)

dice = random.Random(3)


def joined(number):
    one, other = passages[number % len(passages)][1], dice.choice(passages)[1]
    cut = dice.randrange(len(one))
    return {"id": f"m{number}", "text": " ".join(one[:cut] + other[: 100 - cut])}


write("million", map(joined, range(1_000_000)))

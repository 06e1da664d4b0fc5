#!/usr/bin/env python3
"""Makes what encoders are trained and judged on out of the project's data.

    retrieval_pairs.py DATA OUT

OUT/news       titles and descriptions of AG News: documents.jsonl (all), 1,000 pairs to test on, 500 for validation, and the rest to train on
OUT/posts      the same of 8,000 posts: titles, and the first 100 words of each
OUT/xquad      paragraphs with their titles, and questions with what answers them, for `train search` and `train answer`
OUT/paragraphs questions and paragraphs of XQuAD without titles, as pairs: those of a third of the articles to test on, of two for validation

In the folders of pairs, `train-documents.jsonl` has the documents of the pairs to train on: negatives come from these alone.

    train index build BM25 OUT/news/train-documents.jsonl
    train search BM25 --questions OUT/news/train.jsonl --negatives HARD/train-0.jsonl --most-negatives 5
    train index build ALL OUT/news/documents.jsonl
    train search ALL --questions OUT/news/validation.jsonl --negatives HARD/validation-0.jsonl --most-negatives 5
"""

import csv
import gzip
import json
import random
import re
import sys
from pathlib import Path

ENTITIES = [(" #39;", "'"), (" #36;", "$"), (" quot;", '"'), (" amp;", "&"), ("&lt;", "<"), ("&gt;", ">")]


def clean(text):
    """The data has lost the ampersands of its entities, and a backslash stands where a line was broken."""
    text = text.replace("\\", " ")
    for entity, sign in ENTITIES:
        text = text.replace(entity, sign)
    return " ".join(re.sub("<[^>]*>", " ", text).split())


def news(data):
    with open(data / "tasks/agnews.test.csv") as file:
        for number, row in enumerate(csv.DictReader(file)):
            yield f"n{number}", clean(row["Title"]), clean(row["Description"])


def posts(data):
    with gzip.open(data / "text/forum.jsonl.gz", "rt") as file:
        for number, line in enumerate(file):
            title, _, body = json.loads(line)["text"].partition("\n\n")
            words = body.split()
            if len(words) >= 20:
                yield f"p{number}", " ".join(title.split()), " ".join(words[:100])


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def pairs(out, rows, most):
    seen, kept = set(), []
    for number, title, text in rows:
        if title and text and title not in seen and text not in seen:
            seen |= {title, text}
            kept.append((number, title, text))
        if len(kept) == most:
            break
    random.Random(1).shuffle(kept)
    splits = {"test": kept[:1000], "validation": kept[1000:1500], "train": kept[1500:]}
    for name, rows in splits.items():
        write(out / f"{name}.jsonl", [{"id": number, "query": title, "positive": text} for number, title, text in rows])
    for name, rows in [("documents", kept), ("train-documents", splits["train"])]:
        write(out / f"{name}.jsonl", [{"id": number, "text": text} for number, _, text in rows])
    print(f"{out}: {len(kept)} documents, {len(splits['train'])} pairs to train on")


def xquad(data, out):
    documents, questions = [], []
    for article in json.load(open(data / "tasks/xquad.en.json"))["data"]:
        for paragraph in article["paragraphs"]:
            number, text = f"p{len(documents)}", paragraph["context"].strip()
            documents.append({"id": number, "title": article["title"].replace("_", " "), "text": text})
            for asked in paragraph["qas"]:
                answers = sorted({answer["text"] for answer in asked["answers"]})
                row = {"id": asked["id"], "query": asked["question"], "relevant": [number], "positive": text, "answers": answers}
                questions.append(row)
    random.Random(1).shuffle(questions)
    write(out / "documents.jsonl", documents)
    write(out / "questions.jsonl", questions)
    print(f"{out}: {len(documents)} paragraphs, {len(questions)} questions")


def paragraphs(data, out):
    articles = json.load(open(data / "tasks/xquad.en.json"))["data"]
    random.Random(1).shuffle(articles)
    third = len(articles) // 3
    splits = {"test": articles[:third], "validation": articles[third : third + 2], "train": articles[third + 2 :]}
    documents = {}
    for name, articles in splits.items():
        rows, own = [], []
        for paragraph in (paragraph for article in articles for paragraph in article["paragraphs"]):
            text = paragraph["context"].strip()
            own.append({"id": f"{name}{len(own)}", "text": text})
            rows += [{"id": asked["id"], "query": asked["question"], "positive": text} for asked in paragraph["qas"]]
        random.Random(1).shuffle(rows)
        write(out / f"{name}.jsonl", rows)
        documents[name] = own
    write(out / "documents.jsonl", sum(documents.values(), []))
    write(out / "train-documents.jsonl", documents["train"])
    print(f"{out}: {sum(map(len, documents.values()))} documents, {len(documents['train'])} of them to train on")


if __name__ == "__main__":
    data, out = map(Path, sys.argv[1:])
    pairs(out / "news", news(data), None)
    pairs(out / "posts", posts(data), 8000)
    xquad(data, out / "xquad")
    paragraphs(data, out / "paragraphs")

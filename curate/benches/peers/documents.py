"""Writes the documents that the quality rules are compared on.

    python documents.py DATA OUT_OF_A_RUN FOLDER

Takes from DATA (a folder of real corpora) 5,000 posts of text/forum.jsonl.gz, evenly; 3,000 pages of text/books.jsonl.gz, evenly,
each of whole lines and of 2,500 characters or a little more; and from OUT_OF_A_RUN (of fixtures/recipes/web.toml) all documents
of the source `web`. Writes FOLDER/posts.jsonl, books.jsonl and crawl.jsonl, each with `id` and `text`.

Takes pyarrow.
"""

import gzip
import json
import os
import sys

import pyarrow.parquet as parquet

PAGE = 2500


def texts(path):
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)["text"]


def pages(text):
    """Whole lines of a text, PAGE characters or more at a time; what is left at its end is no page."""
    page, size = [], 0
    for line in text.split("\n"):
        page.append(line)
        size += len(line) + 1
        if size >= PAGE:
            yield "\n".join(page)
            page, size = [], 0


def evenly(rows, count):
    return [rows[int(place * len(rows) / count)] for place in range(count)]


def main():
    data, run, folder = sys.argv[1:]
    posts = list(enumerate(texts(f"{data}/text/forum.jsonl.gz")))
    books = list(enumerate(page for book in texts(f"{data}/text/books.jsonl.gz") for page in pages(book)))
    web = parquet.read_table(f"{run}/documents/web", columns=["id", "text"]).sort_by("id").to_pylist()
    os.makedirs(folder, exist_ok=True)
    for name, rows in {
        "posts": evenly(posts, 5000),
        "books": evenly(books, 3000),
        "crawl": [(row["id"], row["text"]) for row in web],
    }.items():
        with open(f"{folder}/{name}.jsonl", "w") as out:
            out.writelines(json.dumps({"id": str(id), "text": text}) + "\n" for id, text in rows)
        print(f"{name}: {len(rows)} documents")


if __name__ == "__main__":
    main()

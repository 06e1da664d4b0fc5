"""Times BM25 by bm25s: building an index of passages, and searching it.

    python search_bm25s.py --passages PASSAGES.jsonl --questions QUESTIONS.jsonl [--k 10] [--threads N] [--out FOLDER]

Passages have `id` and `text`, questions `query` and `relevant`. Words are bm25s's own, none left out, without stems; k1 1.2, b 0.75, Lucene's form.

Prints seconds for reading, for words and index, for writing the index, questions/s, and top-1, 5 and 20.

Takes bm25s.
"""

import argparse
import json
import resource
import time

import bm25s


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--passages", required=True)
    parser.add_argument("--questions", required=True)
    parser.add_argument("--k", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out")
    options = parser.parse_args()
    begun = time.perf_counter()
    passages = [json.loads(line) for line in open(options.passages, encoding="utf-8")]
    questions = [json.loads(line) for line in open(options.questions, encoding="utf-8")]
    read = time.perf_counter()
    words = bm25s.tokenize([passage["text"] for passage in passages], stopwords=None, show_progress=False)
    model = bm25s.BM25(k1=1.2, b=0.75, method="lucene")
    model.index(words, show_progress=False)
    built = time.perf_counter()
    if options.out:
        model.save(options.out)
    written = time.perf_counter()
    asked = bm25s.tokenize([question["query"] for question in questions], stopwords=None, show_progress=False)
    found, _ = model.retrieve(asked, k=options.k, show_progress=False, n_threads=options.threads)
    searched = time.perf_counter()
    ids = [passage["id"] for passage in passages]
    top = {}
    for k in (1, 5, 20):
        hits = ({ids[place] for place in row[:k]} & set(question["relevant"]) for row, question in zip(found.tolist(), questions))
        top[k] = sum(map(bool, hits)) / len(questions)
    print(f"read {read - begun:.2f} s, words and index {built - read:.2f} s, written {written - built:.2f} s")
    print(f"{len(questions) / (searched - written):.0f} questions/s of {len(passages)} passages; top-1, 5, 20: {top}")
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()

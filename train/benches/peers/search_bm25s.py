"""Times BM25 by bm25s: building an index of passages, and searching it.

    python search_bm25s.py --passages PASSAGES.jsonl --questions QUESTIONS.jsonl [--k 100] [--threads N] [--out FOLDER]
        [--stemmer english] [--stop-words] [--k1 1.2] [--b 0.75]

Passages have `id` and `text`, questions `query` and `relevant`. Words are bm25s's own, in Lucene's form.

Prints seconds for reading, for words and index, for writing the index, questions/s, top-1, 5 and 20, and the mean reciprocal rank.

Takes bm25s; with --stemmer PyStemmer.
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
    parser.add_argument("--k", type=int, default=100)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out")
    parser.add_argument("--stemmer")
    parser.add_argument("--stop-words", action="store_true")
    parser.add_argument("--k1", type=float, default=1.2)
    parser.add_argument("--b", type=float, default=0.75)
    options = parser.parse_args()
    stemmer = None
    if options.stemmer:
        import Stemmer

        stemmer = Stemmer.Stemmer(options.stemmer)
    analysis = {"stopwords": "en" if options.stop_words else None, "stemmer": stemmer, "show_progress": False}
    begun = time.perf_counter()
    passages = [json.loads(line) for line in open(options.passages, encoding="utf-8")]
    questions = [json.loads(line) for line in open(options.questions, encoding="utf-8")]
    read = time.perf_counter()
    words = bm25s.tokenize([passage["text"] for passage in passages], **analysis)
    model = bm25s.BM25(k1=options.k1, b=options.b, method="lucene")
    model.index(words, show_progress=False)
    built = time.perf_counter()
    if options.out:
        model.save(options.out)
    written = time.perf_counter()
    asked = bm25s.tokenize([question["query"] for question in questions], **analysis)
    found, _ = model.retrieve(asked, k=options.k, show_progress=False, n_threads=options.threads)
    searched = time.perf_counter()
    ids = [passage["id"] for passage in passages]
    ranks = []
    for row, question in zip(found.tolist(), questions):
        right = [rank for rank, place in enumerate(row, 1) if ids[place] in question["relevant"]]
        ranks.append(right[0] if right else float("inf"))
    top = {k: sum(rank <= k for rank in ranks) / len(ranks) for k in (1, 5, 20)}
    mean = sum(1 / rank for rank in ranks) / len(ranks)
    print(f"read {read - begun:.2f} s, words and index {built - read:.2f} s, written {written - built:.2f} s")
    print(f"{len(questions) / (searched - written):.0f} questions/s of {len(passages)} passages; top-1, 5, 20: {top}; MRR {mean:.4f}")
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()

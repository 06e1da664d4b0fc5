"""Times approximate search by hnswlib and usearch.

    python search_hnswlib.py embed VECTORS.npy - WIDTH --model MODEL --data DATA [--texts 13600]
    python search_hnswlib.py make VECTORS.f32 QUERIES.f32 WIDTH [--from VECTORS.npy] [--rows 1000000] [--queries 2000]
    python search_hnswlib.py run VECTORS.f32 QUERIES.f32 WIDTH [--threads N] [--precision f32] [--only NAME]

`embed` writes the vectors of posts and news of the project's data, 6,000 and the rest, by a model of sentence-transformers: without their mean, in the
directions in which they lie furthest apart. `make` writes vectors of length 1: those of a file, again and again with noise of a third of their length added, or, without a file, such around
4,096 random middles; questions are made in the same way. `run` builds both with 16 neighbours a point (32 on the lowest layer) and 200 candidates, and
prints seconds of building, and for some numbers of candidates recall@10 against exact search, and queries/s as medians of five turns.
`benches/neighbours.rs` does the same with ours.

Takes numpy, hnswlib and usearch; for `embed` sentence-transformers.
"""

import argparse
import statistics
import time

import numpy

K = 10
TURNS = 5


def normalized(rows):
    return (rows / numpy.linalg.norm(rows, axis=1, keepdims=True)).astype(numpy.float32)


def embed(options):
    import csv
    import gzip
    import itertools
    import json

    from sentence_transformers import SentenceTransformer

    with gzip.open(f"{options.data}/text/forum.jsonl.gz", "rt") as file:
        texts = [json.loads(line)["text"][:300] for line in itertools.islice(file, 6000)]
    with open(f"{options.data}/tasks/agnews.test.csv") as file:
        texts += [f"{row['Title']} {row['Description']}" for row in csv.DictReader(file)]
    model = SentenceTransformer(options.model, device="cpu")
    model.max_seq_length = 32
    vectors = model.encode(texts[: options.texts], batch_size=64, show_progress_bar=False)
    vectors -= vectors.mean(0)
    _, _, directions = numpy.linalg.svd(vectors[::3], full_matrices=False)
    numpy.save(options.vectors, (vectors @ directions[: options.width].T).astype(numpy.float32))


def make(options):
    random = numpy.random.default_rng(7)
    width = options.width
    if options.source:
        middles = normalized(numpy.load(options.source)[:, :width])
    else:
        middles = normalized(random.standard_normal((4096, width)))

    def noisy(count):
        rows = middles[random.integers(len(middles), size=count)]
        noise = random.standard_normal((count, width)) * (options.noise / width**0.5)
        return normalized(rows + noise)

    noisy(options.rows).tofile(options.vectors)
    noisy(options.queries_count).tofile(options.queries)


def recall(found, truth):
    return sum(len(set(a) & set(b)) for a, b in zip(found.tolist(), truth.tolist())) / truth.size


def report(name, seconds, search, queries, truth):
    print(f"{name}: built in {seconds:.1f} s", flush=True)
    for ef in (10, 16, 24, 32, 48, 64, 96, 128, 192, 256):
        times = []
        for _ in range(TURNS):
            begun = time.perf_counter()
            found = search(queries, ef)
            times.append(time.perf_counter() - begun)
        rate = len(queries) / statistics.median(times)
        print(f"{name} ef {ef:>4}: recall@10 {recall(found, truth):.4f}, {rate:>8.0f} queries/s", flush=True)


def run(options):
    width, threads = options.width, options.threads
    vectors = numpy.fromfile(options.vectors, dtype=numpy.float32).reshape(-1, width)
    queries = numpy.fromfile(options.queries, dtype=numpy.float32).reshape(-1, width)
    truth = numpy.concatenate([
        numpy.argsort(-(few @ vectors.T), axis=1, kind="stable")[:, :K] if len(vectors) < 100_000 else top(few @ vectors.T)
        for few in numpy.array_split(queries, max(1, len(queries) // 64))
    ])
    if options.only != "usearch":
        import hnswlib

        begun = time.perf_counter()
        index = hnswlib.Index(space="ip", dim=width)
        index.init_index(max_elements=len(vectors), ef_construction=200, M=16, random_seed=1)
        index.add_items(vectors, num_threads=threads)
        seconds = time.perf_counter() - begun

        def search(queries, ef):
            index.set_ef(ef)
            return index.knn_query(queries, k=K, num_threads=threads)[0]

        report("hnswlib", seconds, search, queries, truth)
        del index
    if options.only != "hnswlib":
        import usearch.index

        begun = time.perf_counter()
        index = usearch.index.Index(ndim=width, metric="ip", dtype=options.precision, connectivity=16, expansion_add=200)
        index.add(numpy.arange(len(vectors)), vectors, threads=threads)
        seconds = time.perf_counter() - begun

        def search(queries, ef):
            index.expansion_search = ef
            return index.search(queries, K, threads=threads).keys.astype(numpy.int64)

        report(f"usearch {options.precision}", seconds, search, queries, truth)


def top(scores):
    few = numpy.argpartition(-scores, K, axis=1)[:, :K]
    return numpy.take_along_axis(few, numpy.argsort(-numpy.take_along_axis(scores, few, axis=1), axis=1), axis=1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["embed", "make", "run"])
    parser.add_argument("vectors")
    parser.add_argument("queries")
    parser.add_argument("width", type=int)
    parser.add_argument("--model")
    parser.add_argument("--data")
    parser.add_argument("--texts", type=int, default=13_600)
    parser.add_argument("--from", dest="source")
    parser.add_argument("--noise", type=float, default=0.33)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--queries", dest="queries_count", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", default="f32")
    parser.add_argument("--only")
    options = parser.parse_args()
    {"embed": embed, "make": make, "run": run}[options.what](options)


if __name__ == "__main__":
    main()

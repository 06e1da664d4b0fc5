"""Compares the quality rules with datatrove's filters: verdict by verdict, and in documents per second.

    python filters_datatrove.py CURATE DOCS.jsonl WORKDIR

DOCS holds objects with `id` and `text`; CURATE is the program. Each filter, and each rule, sees every document as it is
read. For each, prints the share of documents on which both say the same, and how many there are of every pair of reasons on
which they differ; then how long `curate measure` takes to read the file, count all facts and print them. WORKDIR keeps datatrove's verdicts, so that a second call compares alone.

Takes datatrove 0.10.1, spaCy and pyarrow; one process, one thread.
"""

import collections
import json
import os
import subprocess
import sys
import time

import pyarrow.parquet as parquet

RULES = {
    "gopher_quality": 'gopher_quality = { shares_of = "tokens" }',
    "gopher_repetition": "gopher_repetition = {}",
    "fineweb": "fineweb_quality = {}",
}


def theirs(texts, path):
    """Their verdicts: by filter, a reason or None for each text."""
    if os.path.exists(path):
        return json.load(open(path))
    from datatrove.data import Document
    from datatrove.pipeline.filters import (
        C4QualityFilter,
        FineWebQualityFilter,
        GopherQualityFilter,
        GopherRepetitionFilter,
    )

    filters = {
        "gopher_quality": GopherQualityFilter(),
        "gopher_repetition": GopherRepetitionFilter(),
        "fineweb": FineWebQualityFilter(),
        "c4": C4QualityFilter(),
    }
    verdicts = {}
    total = 0.0
    for name, quality in filters.items():
        quality.filter(Document(text="This loads the tokenizer.", id="0"))
        verdicts[name] = []
        start = time.time()
        for text in texts:
            try:
                answer = quality.filter(Document(text=text, id="0"))
            except ZeroDivisionError:
                answer = (False, "division by zero")
            verdicts[name].append(answer[1] if isinstance(answer, tuple) else None if answer else "dropped")
        took = time.time() - start
        total += took
        print(f"datatrove {name}: {len(texts) / took:.0f} documents/s", flush=True)
    print(f"datatrove, all four: {len(texts) / total:.1f} documents/s", flush=True)
    json.dump(verdicts, open(path, "w"))
    return verdicts


def ours(curate, docs, work, name, step):
    """Our verdicts on the same documents: the reason by the user's id."""
    recipe = os.path.join(work, f"{name}.toml")
    with open(recipe, "w") as file:
        file.write(
            f'name = "{name}"\nseed = 1\n[source.docs]\njsonl = ["{os.path.abspath(docs)}"]\nmax_error_rate = 1.0\n'
            f"[[step]]\nname = \"rule\"\n{step}\n[mixture.text]\nweights = {{ docs = 1 }}\n"
        )
    out = os.path.join(work, name)
    subprocess.run([curate, "run", recipe, "--out", out, "--fresh", "-q"], check=True, stdout=subprocess.DEVNULL)
    records = parquet.read_table(f"{out}/facts/records/docs").to_pylist()
    user_ids = {record["id"]: record["record"] for record in records}
    rows = parquet.read_table(f"{out}/decisions/rule.parquet").to_pylist()
    return {user_ids[row["id"]]: row["reason"] for row in rows}


def measure(curate, docs, facts):
    """The command that prints facts on one thread."""
    return [curate, "measure", "-q", "--threads", "1", "--facts", facts, docs]


def ours_by_c4(curate, docs):
    """What C4's rules on lines say of a page; no step reads them yet, so they are put together here."""
    output = subprocess.run(measure(curate, docs, "c4-lines"), check=True, capture_output=True, text=True).stdout
    verdicts = {}
    for facts in map(json.loads, output.splitlines()):
        named = "lorem_ipsum" if facts["lorem_ipsum"] else "curly_bracket" if facts["curly_bracket"] else None
        verdicts[facts["record"]] = named or ("too_few_sentences" if facts["sentences"] < 5 else None)
    return verdicts


def speed(curate, docs, count):
    """Documents per second of the whole program on one thread: the median of five runs."""
    times = []
    for _ in range(5):
        start = time.time()
        subprocess.run(measure(curate, docs, "words,c4-lines"), check=True, stdout=subprocess.DEVNULL)
        times.append(time.time() - start)
    print(f"curate measure, all facts: {count / sorted(times)[2]:.0f} documents/s")


def main():
    curate, docs, work = sys.argv[1:]
    os.makedirs(work, exist_ok=True)
    rows = [json.loads(line) for line in open(docs)]
    rows = [row for row in rows if row["text"].strip()]
    texts = [row["text"] for row in rows]
    size = sum(len(text.encode()) for text in texts)
    print(f"{len(rows)} documents of {size / len(rows):.0f} bytes")
    verdicts = theirs(texts, os.path.join(work, "datatrove.json"))
    speed(curate, docs, len(rows))
    mine_by_name = {name: ours(curate, docs, work, name, step) for name, step in RULES.items()}
    for name, mine in {**mine_by_name, "c4": ours_by_c4(curate, docs)}.items():
        pairs = collections.Counter()
        for row, their in zip(rows, verdicts[name]):
            our = mine[row["id"]]
            if (their is None) != (our is None):
                pairs[their, our] += 1
        same = 1 - sum(pairs.values()) / len(rows)
        dropped = sum(their is not None for their in verdicts[name])
        print(f"{name}: the same verdict on {same:.2%}; datatrove drops {dropped}")
        for (their, our), count in pairs.most_common():
            print(f"    {count:5}  datatrove {their or 'keeps'}, curate {our or 'keeps'}")


if __name__ == "__main__":
    main()

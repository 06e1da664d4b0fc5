"""Encodes documents with the Python package `tokenizers`, times it, and compares every id with ours.

    python encode_tokenizers.py DOCUMENTS.jsonl TOKENIZER.json [IDS.jsonl]

IDS is what the bench `encoding` writes: a list of ids for each document. Prints MB of text a second on all cores, thrice, and how
many documents have other ids.

Takes tokenizers.
"""

import json
import sys
import time

from tokenizers import Tokenizer


def main():
    documents, path, *ids = sys.argv[1:]
    texts = [json.loads(line)["text"] for line in open(documents)]
    size = sum(len(text.encode()) for text in texts)
    tokenizer = Tokenizer.from_file(path)
    for _ in range(3):
        start = time.time()
        theirs = tokenizer.encode_batch(texts, add_special_tokens=False)
        took = time.time() - start
        print(f"tokenizers: {len(texts)} documents, {size / 1e6 / took:.2f} MB/s")
    if ids:
        ours = [json.loads(line) for line in open(ids[0])]
        assert len(ours) == len(theirs), f"{len(ours)} lists of ids for {len(theirs)} documents"
        differ = [number for number, (our, their) in enumerate(zip(ours, theirs)) if our != their.ids]
        for number in differ[:5]:
            print(f"  document {number} differs: {texts[number][:60]!r}")
        print(f"{len(differ)} of {len(theirs)} documents have other ids, of {sum(len(their.ids) for their in theirs)} ids")


if __name__ == "__main__":
    main()

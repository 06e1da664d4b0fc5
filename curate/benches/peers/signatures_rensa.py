"""Times rensa's MinHash signatures on ready shingles, on one core.

    python signatures_rensa.py DOCUMENTS.jsonl

Documents have a `text`; shingles are 5-grams of words between white space, 112 hashes. Prints MB of text a second, of which the
shingles are no part. The bench `minhash` prints the same for ours.
"""

import json
import sys
import time

from rensa import RMinHash


def main():
    shingles, size = [], 0
    with open(sys.argv[1], encoding="utf-8") as lines:
        for line in lines:
            text = json.loads(line)["text"]
            size += len(text.encode())
            words = text.split()
            shingles.append([" ".join(words[place : place + 5]) for place in range(max(0, len(words) - 4))])
            if len(shingles) == 20_000:
                break
    for _ in range(3):
        start = time.time()
        for of_document in shingles:
            signature = RMinHash(num_perm=112, seed=1)
            signature.update(of_document)
            signature.digest()
        print(f"{len(shingles)} documents, {size / 1e6 / (time.time() - start):.0f} MB/s")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Kills `train index add` at random points, and sees whether anything is lost: index_kills.py TRAIN PASSAGES.jsonl INDEX [--kills 10]

Builds an index of the first tenth of the passages, and says how long all of them take, and at which peak of memory; adds all of them again and
again, each time killed after some seconds; then once to the end, and checks the index. Fails where fewer passages are in than were said to be.
"""

import argparse
import itertools
import pathlib
import random
import re
import resource
import shutil
import subprocess
import time

parser = argparse.ArgumentParser()
parser.add_argument("train")
parser.add_argument("passages")
parser.add_argument("index", type=pathlib.Path)
parser.add_argument("--kills", type=int, default=10)
options = parser.parse_args()


def train(*arguments):
    begun = time.perf_counter()
    ended = subprocess.run([options.train, *map(str, arguments)], check=True, capture_output=True, text=True)
    print(f"{' '.join(map(str, arguments[:2]))}: {ended.stdout.strip()}; {time.perf_counter() - begun:.1f} s", flush=True)
    return ended.stdout, time.perf_counter() - begun


shutil.rmtree(options.index, ignore_errors=True)
_, seconds = train("index", "build", options.index, options.passages)
print(f"peak {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MiB")
shutil.rmtree(options.index)
first = options.index.with_suffix(".first.jsonl")
with open(options.passages, encoding="utf-8") as lines:
    count = sum(1 for _ in lines)
with open(options.passages, encoding="utf-8") as lines, open(first, "w", encoding="utf-8") as file:
    file.writelines(itertools.islice(lines, count // 10))
train("index", "build", options.index, first)
first.unlink()
dice, said = random.Random(5), count // 10
for _ in range(options.kills):
    adding = subprocess.Popen([options.train, "index", "add", options.index, options.passages], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    time.sleep(dice.uniform(0.02, 0.6) * seconds)
    adding.kill()
    told = [int(number) for number in re.findall(r"(\d+) documents, ", adding.communicate()[1])]
    said = max([said, *told])
    found = int(train("index", "info", options.index)[0].split()[0])
    assert found >= said, f"{found} passages, and {said} were said to be in"
train("index", "add", options.index, options.passages)
train("index", "check", options.index)

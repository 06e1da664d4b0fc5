"""Asks a server more than it can do at once, with clients of which a third go away in the middle of an answer.

    python load.py ADDRESS REQUESTS CLIENTS TOKENS [PID]

Each request asks for TOKENS tokens, streamed, behind a prompt of its own. Printed are how many were answered whole, cut by the client's
leaving, and refused for want of room (429), anything else by its status; seconds; and, where PID is the server's, its memory (MiB) at the
beginning, in the middle, and at the end. Ends with 1 where a request was not answered, or by a 5xx.
"""

import collections
import http.client
import json
import random
import sys
import threading
import time

address, requests, clients, tokens = sys.argv[1], *map(int, sys.argv[2:5])
pid = sys.argv[5] if len(sys.argv) > 5 else None
counts, lock, numbers = collections.Counter(), threading.Lock(), iter(range(requests))
memory = []


def resident():
    if pid is None:
        return 0
    line = next(line for line in open(f"/proc/{pid}/status", encoding="ascii") if line.startswith("VmRSS"))
    return int(line.split()[1]) // 1024


def ask(number, draw):
    connection = http.client.HTTPConnection(address, timeout=600)
    words = " ".join(draw.choice(["river", "stone", "seven", "under", "light", "paper"]) for _ in range(draw.randint(1, 40)))
    body = {"prompt": f"{number} {words}", "max_tokens": tokens, "stream": True, "temperature": 1.0, "seed": number}
    connection.request("POST", "/v1/completions", json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    if answer.status != 200:
        answer.read()
        return str(answer.status)
    leaves = number % 3 == 0
    pieces = 0
    while line := answer.readline():
        pieces += line.startswith(b"data:")
        if leaves and pieces > tokens // 2:
            connection.sock.close()
            return "left"
        if line.strip() == b"data: [DONE]":
            return "whole"
    return "cut off"


def client(seed):
    draw = random.Random(seed)
    while True:
        with lock:
            number = next(numbers, None)
        if number is None:
            return
        try:
            what = ask(number, draw)
        except OSError as error:
            what = type(error).__name__
        with lock:
            counts[what] += 1
            if sum(counts.values()) in (requests // 2, requests):
                memory.append(resident())
        if what == "429":
            time.sleep(0.2)


memory.append(resident())
begin = time.perf_counter()
threads = [threading.Thread(target=client, args=(seed,)) for seed in range(clients)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(dict(counts), f"{time.perf_counter() - begin:.1f} s", "MiB:", memory)
sys.exit(any(what not in ("whole", "left", "429") for what in counts))

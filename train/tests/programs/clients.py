"""How fast a server writes for one client and for many, and how long a prompt of 512 tokens takes to its first token.

    python clients.py ADDRESS CLIENTS TOKENS [ROUNDS]

Each client asks for TOKENS tokens behind a prompt of its own, one request after the other; the end of a text is never chosen. Printed are
tokens a second of each round, one client and CLIENTS in turn, and their ratio.
"""

import http.client
import json
import statistics
import sys
import threading
import time

address, clients, tokens = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 3


def ask(connection, path, body=None):
    body = json.dumps(body) if body is not None else None
    connection.request("POST" if body else "GET", path, body, {"Content-Type": "application/json"})
    return connection.getresponse()


def tokenized(text):
    return json.loads(ask(http.client.HTTPConnection(address), "/tokenize", {"prompt": text}).read())["tokens"]


info = json.loads(ask(http.client.HTTPConnection(address), "/tokenizer_info").read())
end = tokenized(info["eos_token"])[-1]


def run(count, requests):
    """Tokens a second of some clients, each of which asks so many times."""
    made = []

    def client(number):
        connection = http.client.HTTPConnection(address)
        for request in range(requests):
            prompt = f"Chapter {number * 100 + request}. " + "The river runs past the old mill, and those who live there know it well. " * 2
            body = {"prompt": prompt, "max_tokens": tokens, "temperature": 0, "logit_bias": {str(end): -100}}
            response = ask(connection, "/v1/completions", body)
            answer = json.loads(response.read())
            assert response.status == 200, answer
            made.append(answer["usage"]["completion_tokens"])

    start = time.perf_counter()
    threads = [threading.Thread(target=client, args=(number,)) for number in range(count)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return sum(made) / (time.perf_counter() - start)


def first_token(number):
    """Seconds to the first token behind 512 tokens that nobody has asked before."""
    words = tokenized("The river runs past the old mill, and those who live there know it well. " * 60)
    ids = (tokenized(f"Number {number} of many. ") + words)[:512]
    body = {"prompt": ids, "max_tokens": 1, "temperature": 0, "stream": True}
    connection = http.client.HTTPConnection(address)
    start = time.perf_counter()
    response = ask(connection, "/v1/completions", body)
    assert response.readline().startswith(b"data: ")
    return time.perf_counter() - start


run(1, 1)
one, many = [], []
for _ in range(rounds):
    one.append(run(1, 2))
    many.append(run(clients, 1))
seconds = [first_token(number) for number in range(rounds)]
print(json.dumps({
    "one": [round(rate, 1) for rate in one],
    f"{clients} clients": [round(rate, 1) for rate in many],
    "ratio": round(statistics.median(many) / statistics.median(one), 2),
    "seconds to the first token of 512": [round(second, 3) for second in seconds],
}))

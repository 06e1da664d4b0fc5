"""Times one text at a time: `train serve`, transformers and llama.cpp on the same model, in one run, in turn.

    python decode.py --train PROGRAM --model FOLDER [--gguf FILE] [--weights f32,int8] [--prompt 512] [--tokens 128] [--rounds 5] [--threads 2]

Each round every one reads the same ids, `--prompt` of them, and writes `--tokens` more, the likeliest each time; nothing ends a text. Printed
are seconds to the first token, and tokens a second behind it: medians over the rounds, and how many times those of transformers ours are.
`train serve` is asked over HTTP, a stream, on a connection of its own. `--gguf` is the same model for llama.cpp, converted by its own script
(`convert_hf_to_gguf.py FOLDER --outtype q8_0`).

Takes torch, transformers; for `--gguf` llama-cpp-python.
"""

import argparse
import http.client
import json
import statistics
import subprocess
import time


def ids_of(count, round_number):
    """Ids that differ from round to round, so that nothing is remembered: ordinary tokens of a middle range."""
    return [1000 + (place * 7919 + round_number * 104_729) % 20_000 for place in range(count)]


class Served:
    """`train serve`, started here."""

    def __init__(self, options, weights):
        command = [options.train, "serve", options.model, "--weights", weights, "--port", "0", "--threads", str(options.threads)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        address = self.process.stdout.readline().strip()
        assert address.startswith("http://"), f"{command} did not say where it serves"
        self.address = address.removeprefix("http://")

    def write(self, ids, tokens):
        body = {"prompt": ids, "max_tokens": tokens, "temperature": 0, "stream": True, "logit_bias": {"0": -100, "2": -100}}
        connection = http.client.HTTPConnection(self.address)
        begun = time.perf_counter()
        connection.request("POST", "/v1/completions", json.dumps(body | {"stream_options": {"include_usage": True}}), {"Content-Type": "application/json"})
        response = connection.getresponse()
        assert response.status == 200, response.read()
        first = made = None
        for line in response:
            if line.startswith(b"data: {"):
                first = first or time.perf_counter()
                made = (json.loads(line[6:]).get("usage") or {}).get("completion_tokens", made)
        ended = time.perf_counter()
        assert made == tokens, made
        return first - begun, (tokens - 1) / (ended - first)

    def close(self):
        self.process.terminate()
        self.process.wait()


class Transformers:
    def __init__(self, options):
        import torch
        from transformers import AutoModelForCausalLM

        torch.set_num_threads(options.threads)
        self.torch = torch
        self.model = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32).eval()

    def write(self, ids, tokens):
        torch, times = self.torch, []

        class Stream:
            def put(self, _):
                times.append(time.perf_counter())

            def end(self):
                pass

        begun = time.perf_counter()
        with torch.no_grad():
            self.model.generate(
                torch.tensor([ids]), attention_mask=torch.ones(1, len(ids)), do_sample=False, min_new_tokens=tokens, max_new_tokens=tokens,
                pad_token_id=0, streamer=Stream(),
            )
        # the prompt comes first, and by itself
        return times[1] - begun, (tokens - 1) / (times[-1] - times[1])

    def close(self):
        pass


class LlamaCpp:
    def __init__(self, options):
        from llama_cpp import Llama

        self.model = Llama(options.gguf, n_ctx=options.prompt + options.tokens + 8, n_threads=options.threads, n_threads_batch=options.threads, verbose=False)

    def write(self, ids, tokens):
        self.model.reset()
        times = []
        begun = time.perf_counter()
        for _ in self.model.generate(ids, temp=0.0, repeat_penalty=1.0):
            times.append(time.perf_counter())
            if len(times) == tokens:
                break
        return times[0] - begun, (tokens - 1) / (times[-1] - times[0])

    def close(self):
        pass


def main():
    parser = argparse.ArgumentParser()
    for name in ("train", "model"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--gguf")
    parser.add_argument("--weights", default="f32,bf16,int8")
    for name, usual in (("prompt", 512), ("tokens", 128), ("rounds", 5), ("threads", 2)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    options = parser.parse_args()
    programs = {f"train serve, {weights}": Served(options, weights) for weights in options.weights.split(",")}
    programs["transformers, f32"] = Transformers(options)
    if options.gguf:
        programs["llama.cpp"] = LlamaCpp(options)
    found = {name: [] for name in programs}
    for number in range(-1, options.rounds):
        for name, program in programs.items():
            times = program.write(ids_of(options.prompt, number + 1), options.tokens)
            # the first round warms up
            if number >= 0:
                found[name].append(times)
    for program in programs.values():
        program.close()
    theirs = found["transformers, f32"]
    for name, times in found.items():
        first, pace = (statistics.median(values) for values in zip(*times))
        faster = [statistics.median(one / other for one, other in zip(*values)) for values in (
            ([their[0] for their in theirs], [own[0] for own in times]),
            ([own[1] for own in times], [their[1] for their in theirs]),
        )]
        print(f"{name}: first token after {first:.3f} s ({faster[0]:.2f} times as fast), then {pace:.1f} tokens/s ({faster[1]:.2f} times)")


if __name__ == "__main__":
    main()

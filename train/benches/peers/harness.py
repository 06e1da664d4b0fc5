"""Holds `train evaluate` to lm-evaluation-harness: the same prompts, the same log-likelihoods, the same texts.

    python harness.py run --model FOLDER --data DIR --work WORK [--limit N] [--shots 0,4] [--max-length N] [--tasks sst2,cb,...]
    train evaluate FOLDER --rendered WORK/NAME-K.jsonl --out OUT [--context-length N]
    python harness.py compare --work WORK --ours OUT [--within 1e-3] NAME-K ...

`run` writes tasks over the files of DIR (sst2, cb, rte, xcopa_it: choices; gsm8k: what is written; wikitext: rolling), has the harness
evaluate the model in f32 on the CPU, prints examples a second, and writes the prompts that it rendered (NAME-K.jsonl) and what it found
(NAME-K.theirs.jsonl). `compare` prints how far ours are from them, and ends with the code 1 where a log-likelihood is further from theirs than
--within, or a text is another.

Takes lm_eval 0.4.13 with its extra `hf`, torch, transformers, pyarrow.
"""

import argparse
import json
import pathlib
import re
import sys
import time


def lines(path):
    return path.read_text(encoding="utf-8").splitlines()


def sst2(data):
    def row(line):
        return {"text": f"Remark: {line[2:]}\nFeeling:", "choices": ["negative", "positive"], "gold": int(line[0])}

    return [[row(line) for line in lines(data / f"tasks/sst2.{split}.txt")] for split in ("train", "test")]


def cb(data):
    choices = ["yes", "no", "maybe"]
    labels = ["entailment", "contradiction", "neutral"]

    def row(line):
        row = json.loads(line)
        text = f"{row['premise']}\nQ: Is it true that {row['hypothesis']}?\nA:"
        return {"text": text, "choices": choices, "gold": labels.index(row["label"])}

    return [[row(line) for line in lines(data / f"tasks/cb.{split}.jsonl")] for split in ("train", "val")]


def rte(data):
    labels = ["entailment", "not_entailment"]

    def row(line):
        row = json.loads(line)
        text = f"Passage: {row['premise']}\nClaim: {row['hypothesis']}\nQ: Does the passage show the claim to be true, yes or no?\nA:"
        return {"text": text, "choices": ["yes", "no"], "gold": labels.index(row["label"])}

    return [[row(line) for line in lines(data / f"tasks/rte.{split}.jsonl")] for split in ("train", "val")]


def xcopa_it(data):
    def row(line):
        row = json.loads(line)
        why = "Il motivo è questo:" if row["question"] == "cause" else "La conseguenza è questa:"
        return {"text": f"{row['premise']} {why}", "choices": [row["choice1"], row["choice2"]], "gold": row["label"]}

    return [[row(line) for line in lines(data / f"tasks/xcopa.{split}.it.jsonl")] for split in ("val", "test")]


def gsm8k(data):
    def row(line):
        row = json.loads(line)
        return {"text": f"Question: {row['question']}\nAnswer:", "answer": row["answer"].split("####")[-1].strip()}

    return [[row(line) for line in lines(data / f"tasks/gsm8k.{split}.jsonl")] for split in ("train", "test")]


def wikitext(data):
    text = (data / "text/wikitext-2.valid.txt").read_text(encoding="utf-8")
    articles = [article for article in re.split(r"(?m)^(?= = [^=\n]+ = $)", text) if article.strip()]
    return [[], [{"text": article} for article in articles]]


TASKS = {task.__name__: task for task in (sst2, cb, rte, xcopa_it, gsm8k, wikitext)}


def config(name, folder, shots):
    kind = "json"
    files = {"test": str(folder / f"{name}.test.jsonl")}
    if shots:
        files["train"] = str(folder / f"{name}.train.jsonl")
    own = {
        "task": f"{name}_{shots}",
        "dataset_path": kind,
        "dataset_kwargs": {"data_files": files},
        "test_split": "test",
        "num_fewshot": shots,
    }
    if shots:
        own["fewshot_split"] = "train"
    if name == "wikitext":
        return own | {
            "output_type": "loglikelihood_rolling",
            "doc_to_text": "",
            "doc_to_target": "{{text}}",
            "metric_list": [{"metric": metric} for metric in ("word_perplexity", "byte_perplexity", "bits_per_byte")],
        }
    if name == "gsm8k":
        return own | {
            "output_type": "generate_until",
            "doc_to_text": "{{text}}",
            "doc_to_target": "{{answer}}",
            "generation_kwargs": {"until": ["\n\n", "Question:"], "max_gen_toks": 64, "do_sample": False},
            "metric_list": [{"metric": "exact_match"}],
        }
    return own | {
        "output_type": "multiple_choice",
        "doc_to_text": "{{text}}",
        "doc_to_target": "gold",
        "doc_to_choice": "choices",
        "metric_list": [{"metric": metric} for metric in ("acc", "acc_norm", "acc_bytes")],
    }


def rendered(name, sample):
    """The prompt of a sample, and what was found."""
    arguments = sample["arguments"]
    found = [response[0] for response in sample["resps"]]
    if name == "wikitext":
        return {"text": arguments[0][0]}, [{"log_likelihood": float(found[0])}]
    if name == "gsm8k":
        context, settings = arguments[0]
        prompt = {
            "context": context,
            "references": [str(sample["target"])],
            "stop": settings["until"],
            "max_tokens": settings["max_gen_toks"],
        }
        return prompt, [{"text": found[0]}]
    prompt = {
        "context": arguments[0][0],
        "choices": [choice for _, choice in arguments],
        "gold": sample["doc"]["gold"],
    }
    assert all(context == prompt["context"] for context, _ in arguments)
    return prompt, [{"log_likelihood": float(sum_), "is_greedy": greedy in (True, "True")} for sum_, greedy in found]


def write(path, rows):
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def run(options):
    import lm_eval
    import torch
    from lm_eval.models.huggingface import HFLM

    if options.threads:
        torch.set_num_threads(options.threads)
    work = pathlib.Path(options.work)
    work.mkdir(parents=True, exist_ok=True)
    more = {"max_length": options.max_length} if options.max_length else {}
    model = HFLM(pretrained=options.model, dtype="float32", device="cpu", softmax_dtype="float64", batch_size=options.batch_size, **more)
    for name in options.tasks.split(","):
        for split, rows in zip(("train", "test"), TASKS[name](pathlib.Path(options.data))):
            write(work / f"{name}.{split}.jsonl", rows)
        for shots in [0] if name == "wikitext" else [int(shots) for shots in options.shots.split(",")]:
            begun = time.perf_counter()
            results = lm_eval.simple_evaluate(
                model=model, tasks=[config(name, work, shots)], limit=options.limit, log_samples=True, bootstrap_iters=0
            )
            seconds = time.perf_counter() - begun
            samples = sorted(results["samples"][f"{name}_{shots}"], key=lambda sample: sample["doc_id"])
            found = [rendered(name, sample) for sample in samples]
            write(work / f"{name}-{shots}.jsonl", [{"id": str(number)} | prompt for number, (prompt, _) in enumerate(found)])
            write(work / f"{name}-{shots}.theirs.jsonl", [theirs for _, theirs in found])
            scores = {key: value for key, value in results["results"][f"{name}_{shots}"].items() if isinstance(value, float)}
            print(f"{name}-{shots}: {len(found)} examples in {seconds:.1f} s, {len(found) / seconds:.2f} a second; {scores}", flush=True)


def compare(options):
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(f"{options.ours}/samples.parquet").to_pylist()
    agree = True
    for name in options.names:
        theirs = [json.loads(line) for line in lines(pathlib.Path(options.work) / f"{name}.theirs.jsonl")]
        ours = {row["id"]: row for row in table if row["task"] == name}
        apart, flipped, texts = [], 0, 0
        for number, answers in enumerate(theirs):
            row = ours[str(number) if str(number) in ours else str(number + 1)]
            if "text" in answers[0]:
                texts += row["generated"][0] == answers[0]["text"]
                continue
            assert len(row["answers"]) == len(answers), (name, number, row["skipped"])
            for own, their in zip(row["answers"], answers):
                apart.append(abs(own["log_likelihood"] - their["log_likelihood"]))
                flipped += "is_greedy" in their and own["is_greedy"] != their["is_greedy"]
        agree &= all(distance <= options.within for distance in apart) and (len(apart) > 0 or texts == len(theirs))
        if apart:
            print(f"{name}: {len(apart)} log-likelihoods of {len(theirs)} examples, at most {max(apart):.2e} apart; {flipped} differ in being greedy")
        else:
            print(f"{name}: {texts} of {len(theirs)} texts are the same")
    return agree


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("run")
    for name in ("model", "data", "work"):
        one.add_argument(f"--{name}", required=True)
    one.add_argument("--limit", type=int)
    one.add_argument("--shots", default="0,4")
    one.add_argument("--max-length", type=int)
    one.add_argument("--batch-size", type=int, default=8)
    one.add_argument("--threads", type=int)
    one.add_argument("--tasks", default="sst2,cb,xcopa_it,wikitext")
    two = commands.add_parser("compare")
    two.add_argument("--work", required=True)
    two.add_argument("--ours", required=True)
    two.add_argument("--within", type=float, default=1e-3)
    two.add_argument("names", nargs="+")
    options = parser.parse_args()
    if options.command == "run":
        run(options)
    elif not compare(options):
        sys.exit(1)


if __name__ == "__main__":
    main()

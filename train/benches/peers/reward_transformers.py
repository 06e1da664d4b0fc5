"""Trains a reward model of a Hugging Face model in PyTorch on rankings, for one epoch, and says how well it ranks others.

    python reward_transformers.py --model FOLDER --rows DIR --batch-size N [--peak 2e-5] [--seed 1]

DIR has train-*.jsonl and validation-*.jsonl: rows of `prompt`, `answers` and `ranks`. The loss of a prompt is the mean over its pairs of answers
that are told apart of -log sigmoid of their difference, as in Ouyang et al. 2022; an end of the text stands behind each answer. AdamW with 0.9
and 0.95, no decay, a cosine to a tenth after a tenth of warm-up, gradients clipped to 1.

Prints each step's loss, then the accuracy on pairs of the validation rows, with a 95 % interval by bootstrap over prompts, that of the longer answer,
and tokens/s.

Takes torch, transformers.
"""

import argparse
import itertools
import json
import math
import pathlib
import random
import time

import torch
import torch.nn.functional as F
from transformers import AutoModelForSequenceClassification, AutoTokenizer


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--rows", required=True)
    parser.add_argument("--batch-size", type=int, required=True)
    parser.add_argument("--peak", type=float, default=2e-5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    model = AutoModelForSequenceClassification.from_pretrained(options.model, num_labels=1, dtype=torch.float32)
    end = tokenizer.eos_token_id
    pad = model.config.pad_token_id = tokenizer.pad_token_id if tokenizer.pad_token_id not in (None, end) else 0

    def read(split):
        rows = []
        for path in sorted(pathlib.Path(options.rows).glob(f"{split}-*.jsonl")):
            for line in open(path, encoding="utf-8"):
                row = json.loads(line)
                ids = [tokenizer(row["prompt"] + answer, add_special_tokens=False)["input_ids"] + [end] for answer in row["answers"]]
                better = [(one, other) for one, other in itertools.permutations(range(len(ids)), 2) if row["ranks"][one] < row["ranks"][other]]
                rows.append((ids, better))
        return rows

    def rewards(sequences):
        longest = max(map(len, sequences))
        ids = torch.tensor([own + [pad] * (longest - len(own)) for own in sequences])
        mask = torch.tensor([[1] * len(own) + [0] * (longest - len(own)) for own in sequences])
        hidden = model.model(input_ids=ids, attention_mask=mask).last_hidden_state
        last = hidden[torch.arange(len(sequences)), mask.sum(1) - 1]
        return model.score(last)[:, 0]

    train, validation = read("train"), read("validation")
    optimizer = torch.optim.AdamW(model.parameters(), lr=options.peak, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.0)
    order = list(range(len(train)))
    random.Random(options.seed).shuffle(order)
    steps = math.ceil(len(train) / options.batch_size)
    warmup = max(1, steps // 10)
    tokens = seconds = 0
    model.train()
    for step in range(steps):
        share = (step - warmup) / max(1, steps - warmup)
        rate = (step + 1) / warmup if step < warmup else 0.1 + 0.45 * (1 + math.cos(math.pi * share))
        for group in optimizer.param_groups:
            group["lr"] = options.peak * rate
        begun = time.perf_counter()
        rows = [train[place] for place in order[step * options.batch_size : (step + 1) * options.batch_size]]
        total = 0.0
        optimizer.zero_grad()
        # a prompt at a time, so that memory is that of one
        for ids, better in rows:
            found = rewards(ids)
            pairs = torch.stack([found[one] - found[other] for one, other in better]) if better else found[:0]
            loss = -F.logsigmoid(pairs).mean() / len(rows) if better else found.sum() * 0
            loss.backward()
            total += loss.item()
            tokens += sum(map(len, ids))
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        seconds += time.perf_counter() - begun
        print(f"step {step + 1} of {steps}: loss {total:.4f}, {tokens / seconds:.0f} tokens/s", flush=True)
    model.eval()
    right, longer = [], []
    with torch.no_grad():
        for ids, better in validation:
            found = rewards(ids).tolist()
            right.append([float(found[one] > found[other]) for one, other in better])
            longer.append([0.5 + 0.5 * ((len(ids[one]) > len(ids[other])) - (len(ids[one]) < len(ids[other]))) for one, other in better])

    def share(rows):
        return sum(map(sum, rows)) / sum(map(len, rows))

    dice = random.Random(1)
    means = sorted(share([dice.choice(right) for _ in right]) for _ in range(1000))
    print(f"{share(right):.3f} ({means[25]:.3f} to {means[974]:.3f}) of {sum(map(len, right))} pairs; the longer answer: {share(longer):.3f}")
    print(f"{tokens / seconds:.0f} tokens/s")


if __name__ == "__main__":
    main()

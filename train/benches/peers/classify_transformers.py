"""Times GPT-1's fine-tuning of a Hugging Face model in PyTorch: a linear head on the last token, and the language model's loss beside it.

    python classify_transformers.py --model FOLDER --rows FILE.jsonl --classes N --batch-size N --steps N [--auxiliary-weight L]

Rows have `sequences`, of which the first is read, and `label`. Each batch is padded to its longest text. AdamW at 6.25e-5.

Prints each step's loss and tokens (padding is none), then examples/s and tokens/s of all steps but the first two, and the peak
memory.

Takes torch, transformers.
"""

import argparse
import json
import resource
import time

import torch
import torch.nn.functional as F
from transformers import AutoModelForCausalLM, AutoTokenizer


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--rows", required=True)
    for name in ["classes", "batch-size", "steps"]:
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--auxiliary-weight", type=float, default=0.5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    model = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32)
    classes = torch.nn.Linear(model.config.hidden_size, options.classes)
    torch.nn.init.normal_(classes.weight, std=0.02)
    model.train()
    trained = [*model.parameters(), *classes.parameters()]
    optimizer = torch.optim.AdamW(trained, lr=6.25e-5)
    rows = []
    for line in open(options.rows, encoding="utf-8"):
        row = json.loads(line)
        rows.append((tokenizer(row["sequences"][0], add_special_tokens=False)["input_ids"], row["label"]))
    examples = tokens = seconds = 0
    for step in range(options.steps):
        few = [rows[(step * options.batch_size + place) % len(rows)] for place in range(options.batch_size)]
        begun = time.perf_counter()
        lengths = torch.tensor([len(ids) for ids, _ in few])
        longest = int(lengths.max())
        ids = torch.tensor([ids + [0] * (longest - len(ids)) for ids, _ in few])
        mask = torch.arange(longest)[None] < lengths[:, None]
        out = model.model(input_ids=ids, attention_mask=mask.long())
        hidden = out.last_hidden_state
        last = hidden[torch.arange(len(few)), lengths - 1]
        loss = F.cross_entropy(classes(F.dropout(last, 0.1)), torch.tensor([label for _, label in few]))
        if options.auxiliary_weight > 0:
            logits = model.lm_head(hidden[:, :-1])
            each = F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none").view(len(few), -1)
            seen = mask[:, 1:].float()
            loss = loss + options.auxiliary_weight * ((each * seen).sum(1) / seen.sum(1)).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        taken = time.perf_counter() - begun
        count = int(lengths.sum())
        print(f"step {step}: loss {loss.item():.4f}, {count} tokens, {taken:.2f} s", flush=True)
        if step >= 2:
            examples, tokens, seconds = examples + len(few), tokens + count, seconds + taken
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{examples / seconds:.1f} examples/s, {tokens / seconds:.0f} tokens/s, peak {peak:.0f} MiB")


if __name__ == "__main__":
    main()

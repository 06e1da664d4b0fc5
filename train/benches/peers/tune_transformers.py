"""Times instruction tuning of a Hugging Face model with transformers, and with peft where it is LoRA, for `train tune` to compare with.

    python tune_transformers.py --model FOLDER --rows FILE.jsonl --batch-size N --max-length N --steps N [--rank N] [--threads N]

Rows have `prompt` and `completion`; an example is their tokens and the end of a text, its loss that of the completion. Each batch
is padded to its longest example, as trl does where it does not pack: on a processor there is no attention that keeps packed
examples apart. AdamW at 1e-4; with `--rank`, LoRA on all linear layers of the blocks with alpha of twice the rank.

Prints each step's loss and tokens (padding is none), then tokens/s of all steps but the first two, and the peak memory.

Takes torch, transformers, peft.
"""

import argparse
import json
import resource
import time

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


def examples(options, tokenizer):
    for line in open(options.rows, encoding="utf-8"):
        row = json.loads(line)
        prompt = tokenizer(row["prompt"], add_special_tokens=False)["input_ids"]
        completion = tokenizer(row["completion"], add_special_tokens=False)["input_ids"] + [tokenizer.eos_token_id]
        cut = max(len(prompt) + len(completion) - options.max_length, 0)
        ids = prompt[cut:] + completion
        yield ids, [-100] * (len(ids) - len(completion)) + completion


def padded(few, padding):
    longest = max(len(ids) for ids, _ in few)
    fill = lambda numbers, value: numbers + [value] * (longest - len(numbers))
    return {
        "input_ids": torch.tensor([fill(ids, padding) for ids, _ in few]),
        "attention_mask": torch.tensor([fill([1] * len(ids), 0) for ids, _ in few]),
        "labels": torch.tensor([fill(labels, -100) for _, labels in few]),
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--rows", required=True)
    for name in ["batch-size", "max-length", "steps"]:
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--rank", type=int, default=0)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    model = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32)
    if options.rank:
        from peft import LoraConfig, get_peft_model

        lora = LoraConfig(r=options.rank, lora_alpha=2 * options.rank, target_modules="all-linear", task_type="CAUSAL_LM")
        model = get_peft_model(model, lora)
    model.train()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    print("parameters", sum(parameter.numel() for parameter in trained))
    optimizer = torch.optim.AdamW(trained, lr=1e-4)
    rows = list(examples(options, tokenizer))
    tokens = seconds = 0
    for step in range(options.steps):
        few = [rows[(step * options.batch_size + place) % len(rows)] for place in range(options.batch_size)]
        begun = time.perf_counter()
        loss = model(**padded(few, tokenizer.eos_token_id)).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        taken = time.perf_counter() - begun
        count = sum(len(ids) for ids, _ in few)
        print(f"step {step}: loss {loss.item():.4f}, {count} tokens, {taken:.2f} s", flush=True)
        if step >= 2:
            tokens, seconds = tokens + count, seconds + taken
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{tokens / seconds:.0f} tokens/s, peak {peak:.0f} MiB")


if __name__ == "__main__":
    main()

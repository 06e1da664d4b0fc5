"""Times proximal policy optimization with trl's experimental trainer, for `train ppo` to compare with.

    python ppo_trl.py --model FOLDER --prompts FILE.jsonl --episodes N --tokens N --epochs N --minibatch N [--rollouts N] [--threads N]

Prompts are rows of `prompt`, whose first `--prompt-tokens` tokens are answered. Policy, reference, value network and reward model are
all the folder's model, the latter two with a head of one number; all in single precision on the processor, AdamW at 1e-6. An
iteration is a rollout of `--episodes` answers and `--epochs` passes over it in minibatches. What the trainer prints of samples is not
generated.

Prints the seconds of each iteration, and the peak memory.

Takes torch, transformers, trl 1.12.0, datasets.
"""

import argparse
import json
import os
import resource
import tempfile
import time

os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer, TrainerCallback
from trl.experimental.ppo import PPOConfig, PPOTrainer


class Clock(TrainerCallback):
    def __init__(self):
        self.last = time.perf_counter()

    def on_step_end(self, *_, **__):
        now = time.perf_counter()
        print(f"iteration: {now - self.last:.1f} s", flush=True)
        self.last = now


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--prompts", required=True)
    for name in ["episodes", "tokens", "epochs", "minibatch"]:
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--prompt-tokens", type=int, default=16)
    parser.add_argument("--rollouts", type=int, default=2)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    tokenizer = AutoTokenizer.from_pretrained(options.model, padding_side="left")
    if tokenizer.pad_token_id is None or tokenizer.pad_token_id == tokenizer.eos_token_id:
        tokenizer.pad_token = tokenizer.convert_ids_to_tokens(0)
    policy, reference = (AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32) for _ in range(2))
    value, reward = (
        AutoModelForSequenceClassification.from_pretrained(options.model, num_labels=1, dtype=torch.float32) for _ in range(2)
    )
    rows = [json.loads(line)["prompt"] for line in open(options.prompts, encoding="utf-8")]
    ids = [tokenizer(row)["input_ids"][: options.prompt_tokens] for row in rows]
    data = Dataset.from_dict({"input_ids": [row for row in ids if row]})
    config = PPOConfig(
        output_dir=tempfile.mkdtemp(),
        per_device_train_batch_size=options.minibatch,
        gradient_accumulation_steps=options.episodes // options.minibatch,
        num_mini_batches=options.episodes // options.minibatch,
        num_ppo_epochs=options.epochs,
        total_episodes=options.episodes * options.rollouts,
        local_rollout_forward_batch_size=options.minibatch,
        response_length=options.tokens,
        temperature=1.0,
        learning_rate=1e-6,
        num_sample_generations=0,
        use_cpu=True,
        bf16=False,
        report_to=[],
        save_strategy="no",
        logging_strategy="no",
    )
    trainer = PPOTrainer(
        args=config,
        processing_class=tokenizer,
        model=policy,
        ref_model=reference,
        reward_model=reward,
        value_model=value,
        train_dataset=data,
        eval_dataset=data.select(range(1)),
        callbacks=[Clock()],
    )
    begin = time.perf_counter()
    trainer.train()
    print(f"{options.rollouts} iterations: {time.perf_counter() - begin:.1f} s")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2:.2f} GiB")


if __name__ == "__main__":
    main()

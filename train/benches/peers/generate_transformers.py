"""Times a GPT-2-shaped model of transformers that generates, for `train bench --generate` to compare with.

    python generate_transformers.py --batch-size N --sequence-length N --hidden-size N --num-heads N --num-layers N --vocab-size N
                                    --steps N --generate TOKENS

Prompts have 16 random tokens, the likeliest token comes next, and nothing ends a text; a step is one time. Prints what `train bench`
prints.

Takes torch and transformers.
"""

import argparse
import time

import torch
from transformers import GPT2Config, GPT2LMHeadModel


def main():
    parser = argparse.ArgumentParser()
    for name in [
        "batch-size", "sequence-length", "hidden-size", "num-heads", "num-layers", "vocab-size", "steps", "generate",
    ]:
        parser.add_argument(f"--{name}", type=int, required=True)
    options = parser.parse_args()
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=options.vocab_size, n_positions=options.sequence_length, n_embd=options.hidden_size,
        n_layer=options.num_layers, n_head=options.num_heads, bos_token_id=0, eos_token_id=None,
    )
    model = GPT2LMHeadModel(config).eval()
    for _ in range(options.steps):
        ids = torch.randint(0, options.vocab_size, (options.batch_size, 16))
        begun = time.perf_counter()
        with torch.no_grad():
            model.generate(
                ids, attention_mask=torch.ones_like(ids), do_sample=False, pad_token_id=0,
                max_new_tokens=options.generate, min_new_tokens=options.generate,
            )
        seconds = time.perf_counter() - begun
        pace = options.batch_size * options.generate / seconds
        print(f"generate batch {options.batch_size} {options.generate} tokens {seconds:.3f} s {pace:.0f} tokens/s", flush=True)


if __name__ == "__main__":
    main()

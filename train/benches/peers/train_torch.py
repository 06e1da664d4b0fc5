"""Times training steps of a GPT-2-shaped model in PyTorch, for `train bench` to compare with.

    python train_torch.py [--device cuda] [--precision bf16] [--compile]
                          --batch-size N --sequence-length N --hidden-size N --num-heads N --num-layers N --vocab-size N --steps N

Prints what `train bench` prints. Weights have a deviation of 0.02, as GPT-2's: PyTorch's own start gives tables of tokens a deviation
of 1, with which probabilities become subnormal numbers, and a processor some times slower.

Takes torch.
"""

import argparse
import resource
import time

import torch
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    def __init__(self, hidden_size, num_heads):
        super().__init__()
        self.num_heads = num_heads
        self.attention_norm, self.mlp_norm = nn.LayerNorm(hidden_size), nn.LayerNorm(hidden_size)
        self.input, self.output = nn.Linear(hidden_size, 3 * hidden_size), nn.Linear(hidden_size, hidden_size)
        self.up, self.down = nn.Linear(hidden_size, 4 * hidden_size), nn.Linear(4 * hidden_size, hidden_size)

    def forward(self, x):
        batch, length, hidden_size = x.shape
        parts = self.input(self.attention_norm(x)).view(batch, length, 3, self.num_heads, hidden_size // self.num_heads)
        queries, keys, values = parts.permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(queries, keys, values, is_causal=True)
        x = x + self.output(seen.transpose(1, 2).reshape(batch, length, hidden_size))
        return x + self.down(F.gelu(self.up(self.mlp_norm(x)), approximate="tanh"))


class Gpt(nn.Module):
    def __init__(self, options):
        super().__init__()
        self.tokens = nn.Embedding(options.vocab_size, options.hidden_size)
        self.positions = nn.Embedding(options.sequence_length, options.hidden_size)
        self.blocks = nn.Sequential(*(Block(options.hidden_size, options.num_heads) for _ in range(options.num_layers)))
        self.norm = nn.LayerNorm(options.hidden_size)
        for parameter in self.parameters():
            if parameter.dim() >= 2:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, ids):
        x = self.tokens(ids) + self.positions.weight[: ids.shape[1]]
        return self.norm(self.blocks(x)) @ self.tokens.weight.T


def main():
    parser = argparse.ArgumentParser()
    for name in ["batch-size", "sequence-length", "hidden-size", "num-heads", "num-layers", "vocab-size", "steps"]:
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    torch.manual_seed(0)
    if options.device == "cuda":
        torch.set_float32_matmul_precision("high")  # as burn's products there
    model = Gpt(options).to(options.device)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=1e-3, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1, fused=options.device == "cuda"
    )
    print("parameters", sum(parameter.numel() for parameter in model.parameters()))
    forward = torch.compile(model) if options.compile else model
    for step in range(options.steps):
        ids = torch.randint(0, options.vocab_size, (options.batch_size, options.sequence_length + 1))
        begun = time.perf_counter()
        ids = ids.to(options.device)
        with torch.autocast(options.device, dtype=torch.bfloat16, enabled=options.precision == "bf16"):
            logits = forward(ids[:, :-1])
            loss = F.cross_entropy(logits.float().flatten(0, 1), ids[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        value = loss.item()
        seconds = time.perf_counter() - begun
        pace = options.batch_size * options.sequence_length / seconds
        print(f"step {step} loss {value:.4f} {seconds:.3f} s {pace:.0f} tokens/s", flush=True)
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6:.0f} MB")


if __name__ == "__main__":
    main()

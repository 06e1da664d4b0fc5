"""Writes optimizers.safetensors: ten steps of each optimizer on the small models of torch.safetensors, for tests/it/optimizers.rs to
compare with.

    python optimizer_figures.py     (needs torch, transformers and safetensors)

Adafactor is that of transformers, Muon that of PyTorch; the latter multiplies matrices in bfloat16, and is made to do so in single
precision here. It knows matrices as PyTorch's linear layers have them, `[outputs, inputs]`: ours are the transposed of those.
"""

import pathlib
from unittest import mock

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch_figures import Model
from transformers.optimization import Adafactor

STEPS, CLIP = 10, 0.5
here = pathlib.Path(__file__)
start = load_file(here.with_name("torch.safetensors"))
figures = {}


def decayed(parameters, weight_decay):
    """Weight decay is for what has two dimensions."""
    return [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]


def adafactor(leaves, weight_decay=0.0, **settings):
    return [Adafactor(decayed(leaves.values(), weight_decay), **settings)]


def muon(leaves):
    matrices = [p for name, p in leaves.items() if is_map(name)]
    rest = [p for name, p in leaves.items() if not is_map(name)]
    return [
        torch.optim.Muon(matrices, lr=2e-2, momentum=0.95, weight_decay=0.1),
        torch.optim.AdamW(decayed(rest, 0.1), lr=0.1 * 2e-2, betas=(0.8, 0.95), eps=1e-10),
    ]


def is_map(name):
    return name.endswith(".weight")


OPTIMIZERS = {
    # its learning rate is the least of 0.01 and 1/sqrt(t)
    "adafactor": lambda leaves: adafactor(leaves),
    "adafactor-mean": lambda leaves: adafactor(
        leaves, lr=1e-2, scale_parameter=False, relative_step=False, beta1=0.9, weight_decay=0.1, clip_threshold=0.5
    ),
    "muon": muon,
}

for family in ["gpt2", "llama"]:
    ids, targets = start[f"{family}/ids"].long(), start[f"{family}/targets"].long()
    for name, make in OPTIMIZERS.items():
        model = Model(family)
        turned = {key: is_map(key) for key in model.p}
        given = {key: start[f"{family}/parameter/{key}"] for key in model.p}
        leaves = {key: (p.T if turned[key] else p).clone().requires_grad_() for key, p in given.items()}
        optimizers = make(leaves)
        losses = []
        for _ in range(STEPS):
            model.p = {key: p.T if turned[key] else p for key, p in leaves.items()}
            loss = F.cross_entropy(model.logits(ids).flatten(0, 1), targets.flatten())
            losses.append(loss.item())
            for p in leaves.values():
                p.grad = None
            loss.backward()
            torch.nn.utils.clip_grad_norm_(leaves.values(), CLIP)
            with mock.patch.object(torch, "bfloat16", torch.float32):
                for optimizer in optimizers:
                    optimizer.step()
        print(f"{name} on {family}: {losses[0]:.4f} to {losses[-1]:.4f}")
        figures[f"{name}/{family}/losses"] = torch.tensor(losses)
        for key, p in leaves.items():
            figures[f"{name}/{family}/parameter/{key}"] = (p.T if turned[key] else p).detach().contiguous()
save_file(figures, here.with_name("optimizers.safetensors"))

"""Writes torch.safetensors: what PyTorch computes of small operations and models, for tests/it/torch.rs to compare with.

    python torch_figures.py     (needs torch and safetensors)

Models are written down here by PyTorch's own functions, with the names and shapes of our parameters.
"""

import math
import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

VOCAB_SIZE, BATCH_SIZE, TIME, HIDDEN_SIZE, NUM_HEADS, NUM_LAYERS, INTERMEDIATE_SIZE = 11, 2, 6, 8, 4, 2, 12
figures = {}


def keep(name, tensor):
    figures[name] = tensor.detach().clone().contiguous()


def operation(name, run, **inputs):
    """Keeps the inputs, what comes out, its random gradient, and the gradients of the inputs."""
    inputs = {key: value.requires_grad_() for key, value in inputs.items()}
    out = run(**inputs)
    gradient = torch.randn_like(out)
    out.backward(gradient)
    keep(f"operation/{name}/out", out)
    keep(f"operation/{name}/out.gradient", gradient)
    for key, value in inputs.items():
        keep(f"operation/{name}/{key}", value)
        keep(f"operation/{name}/{key}.gradient", value.grad)


def heads(x, count):
    return x.view(*x.shape[:2], count, -1).transpose(1, 2)


def attended(q, k, v, mask=None):
    each = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(each, 1), v.repeat_interleave(each, 1)
    out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None)
    return out.transpose(1, 2).flatten(2)


def operations():
    randn = torch.randn
    operation("linear", lambda x, w, b: x @ w + b, x=randn(3, 5), w=randn(5, 7), b=randn(7))
    operation("layer_norm", lambda x, g, b: F.layer_norm(x, (9,), g, b, 1e-5), x=randn(4, 9), g=randn(9), b=randn(9))
    operation("rms_norm", lambda x, g: F.rms_norm(x, (9,), g, 1e-5), x=randn(4, 9), g=randn(9))
    operation("gelu", lambda x: F.gelu(x, approximate="tanh"), x=3 * randn(4, 9))
    operation("swiglu", lambda x: F.silu(x[:, :4]) * x[:, 4:], x=2 * randn(5, 8))

    def attention(x):
        q, k, v = x.split([8, 4, 4], 2)
        return attended(heads(q, 4), heads(k, 2), heads(v, 2))

    operation("attention", attention, x=randn(2, 5, 16))
    targets = torch.arange(6) % 5
    operation("head", lambda x, w: F.cross_entropy(x @ w.T, targets)[None], x=randn(6, 4), w=randn(5, 4))


def rotated(x, positions, base=10000.0):
    half = x.shape[-1] // 2
    angles = positions[:, None] * base ** (-torch.arange(half) / half)
    cos, sin = angles.cos(), angles.sin()
    one, other = x[..., :half], x[..., half:]
    return torch.cat([one * cos - other * sin, other * cos + one * sin], -1)


class Model:
    def __init__(self, family):
        self.family = family
        self.modern = family == "llama"
        self.num_kv_heads = 2 if self.modern else NUM_HEADS
        columns = HIDDEN_SIZE + 2 * self.num_kv_heads * (HIDDEN_SIZE // NUM_HEADS)
        shapes = {"tokens": (VOCAB_SIZE, HIDDEN_SIZE)}
        if not self.modern:
            shapes["positions"] = (TIME, HIDDEN_SIZE)
        for layer in range(NUM_LAYERS):
            maps = {
                "attention.input": (HIDDEN_SIZE, columns),
                "attention.output": (HIDDEN_SIZE, HIDDEN_SIZE),
                "feed_forward.up": (HIDDEN_SIZE, (2 if self.modern else 1) * INTERMEDIATE_SIZE),
                "feed_forward.down": (INTERMEDIATE_SIZE, HIDDEN_SIZE),
            }
            for name, shape in maps.items():
                shapes[f"blocks.{layer}.{name}.weight"] = shape
                if not self.modern:
                    shapes[f"blocks.{layer}.{name}.bias"] = shape[1:]
            for name in ["attention_norm", "feed_forward_norm"]:
                self.norm_shapes(shapes, f"blocks.{layer}.{name}")
        if family != "gpt1":
            self.norm_shapes(shapes, "norm")
        if self.modern:
            shapes["head"] = (VOCAB_SIZE, HIDDEN_SIZE)
        self.p = {name: (0.3 * torch.randn(shape)).requires_grad_() for name, shape in shapes.items()}

    def norm_shapes(self, shapes, name):
        shapes[f"{name}.gain"] = (HIDDEN_SIZE,)
        if not self.modern:
            shapes[f"{name}.bias"] = (HIDDEN_SIZE,)

    def linear(self, x, name):
        bias = self.p.get(f"{name}.bias")
        return F.linear(x, self.p[f"{name}.weight"].T, bias)

    def norm(self, x, name):
        if self.modern:
            return F.rms_norm(x, (HIDDEN_SIZE,), self.p[f"{name}.gain"], 1e-5)
        return F.layer_norm(x, (HIDDEN_SIZE,), self.p[f"{name}.gain"], self.p[f"{name}.bias"], 1e-5)

    def attention(self, x, layer):
        name = f"blocks.{layer}.attention"
        key_width = self.num_kv_heads * (HIDDEN_SIZE // NUM_HEADS)
        q, k, v = self.linear(x, f"{name}.input").split([HIDDEN_SIZE, key_width, key_width], 2)
        q, k, v = heads(q, NUM_HEADS), heads(k, self.num_kv_heads), heads(v, self.num_kv_heads)
        places = torch.arange(x.shape[1])
        if self.modern:
            q, k = rotated(q, places), rotated(k, places)
        mask = None
        if self.family == "gpt3" and layer % 2 == 1:
            back = places[:, None] - places[None, :]
            mask = (back >= 0) & (back < 3)
        return self.linear(attended(q, k, v, mask), f"{name}.output")

    def feed_forward(self, x, layer):
        up = self.linear(x, f"blocks.{layer}.feed_forward.up")
        bent = F.silu(up[..., :INTERMEDIATE_SIZE]) * up[..., INTERMEDIATE_SIZE:] if self.modern else F.gelu(up, approximate="tanh")
        return self.linear(bent, f"blocks.{layer}.feed_forward.down")

    def logits(self, ids):
        x = self.p["tokens"][ids]
        if not self.modern:
            x = x + self.p["positions"][: ids.shape[1]]
        for layer in range(NUM_LAYERS):
            one, other = f"blocks.{layer}.attention_norm", f"blocks.{layer}.feed_forward_norm"
            if self.family == "gpt1":
                x = self.norm(x + self.attention(x, layer), one)
                x = self.norm(x + self.feed_forward(x, layer), other)
            else:
                x = x + self.attention(self.norm(x, one), layer)
                x = x + self.feed_forward(self.norm(x, other), layer)
        if self.family != "gpt1":
            x = self.norm(x, "norm")
        return x @ self.p.get("head", self.p["tokens"]).T


def model(family, steps=5):
    """Keeps parameters, logits, loss, gradients, and the losses of some steps of AdamW with clipping."""
    model = Model(family)
    ids, targets = torch.randint(0, VOCAB_SIZE, (2, BATCH_SIZE, TIME))
    keep(f"{family}/ids", ids.int())
    keep(f"{family}/targets", targets.int())
    for name, parameter in model.p.items():
        keep(f"{family}/parameter/{name}", parameter)
    keep(f"{family}/logits", model.logits(ids))
    matrices = [p for p in model.p.values() if p.dim() >= 2]
    vectors = [p for p in model.p.values() if p.dim() < 2]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-2, betas=(0.9, 0.95), eps=1e-8)
    losses = []
    for step in range(steps):
        loss = F.cross_entropy(model.logits(ids).flatten(0, 1), targets.flatten())
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            for name, parameter in model.p.items():
                keep(f"{family}/gradient/{name}", parameter.grad)
        torch.nn.utils.clip_grad_norm_(model.p.values(), 0.5)
        optimizer.step()
    keep(f"{family}/losses", torch.tensor(losses))


if __name__ == "__main__":
    torch.manual_seed(1)
    operations()
    for family in ["gpt1", "gpt2", "gpt3", "llama"]:
        model(family)
    save_file(figures, pathlib.Path(__file__).with_name("torch.safetensors"))

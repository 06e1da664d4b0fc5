"""Writes preferences.safetensors: losses on ranked answers and their gradients as PyTorch computes them, of the models of torch.safetensors.

    python preference_figures.py     (needs torch and safetensors)

Two prompts: one with three answers, two of which are a tie, and one with two. Formulas are those of the papers: Ouyang et al. 2022,
equation 1; Rafailov et al. 2023, equation 7; Azar et al. 2023, equation 17.
"""

import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

from torch_figures import HIDDEN_SIZE, Model

HERE = pathlib.Path(__file__).parent
# a prompt's ids, and each answer's with its rank
PROMPTS = [
    ([1, 2], [([3, 4, 5, 0], 0), ([6, 0], 1), ([7, 8, 0], 1)]),
    ([9, 3, 1], [([2, 0], 1), ([4, 10, 0], 0)]),
]
REFERENCES = [-9.0, -5.5, -7.25, -4.0, -8.5]
BETA, SMOOTHING = 0.3, 0.1
figures = {}


def keep(name, tensor):
    figures[name] = tensor.detach().clone().contiguous()


def answers():
    return [(prompt, answer, rank) for prompt, answers in PROMPTS for answer, rank in answers]


def pairs():
    """Better, worse, weight: the mean over prompts of the mean over their pairs."""
    found, first = [], 0
    for _, own in PROMPTS:
        ranks = [rank for _, rank in own]
        told = [(i, j) for i in range(len(own)) for j in range(len(own)) if ranks[i] < ranks[j]]
        found += [(first + i, first + j, 1 / len(told) / len(PROMPTS)) for i, j in told]
        first += len(own)
    return found


def hidden(model, ids):
    """The states in front of the head, by its logits with the identity in the head's place."""
    table = "head" if "head" in model.p else "tokens"
    if table == "head":
        kept, model.p["head"] = model.p["head"], torch.eye(HIDDEN_SIZE)
        states = model.logits(ids)
        model.p["head"] = kept
        return states
    model.p["head"] = torch.eye(HIDDEN_SIZE)
    states = model.logits(ids)
    del model.p["head"]
    return states


def rewards(model, weight, bias):
    state = lambda prompt, answer: hidden(model, torch.tensor([prompt + answer]))[0, -1]
    return torch.stack([state(prompt, answer) @ weight + bias for prompt, answer, _ in answers()])


def log_probabilities(model):
    def of(prompt, answer):
        logits = model.logits(torch.tensor([(prompt + answer)[:-1]]))[0, len(prompt) - 1 :]
        return F.log_softmax(logits, 1).gather(1, torch.tensor(answer)[:, None]).sum()

    return torch.stack([of(prompt, answer) for prompt, answer, _ in answers()])


def differences(values):
    return torch.stack([values[better] - values[worse] for better, worse, _ in pairs()])


WEIGHTS = torch.tensor([weight for _, _, weight in pairs()])


def loss(name, model, value, more=()):
    """Keeps a loss, and the gradients of all parameters."""
    named = dict(model.p) | dict(more)
    for parameter in named.values():
        parameter.grad = None
    value.backward()
    keep(f"{name}/loss", value[None])
    for key, parameter in named.items():
        if parameter.grad is not None:
            keep(f"{name}/gradient/{key}", parameter.grad)


def of(family, stored):
    model = Model(family)
    for name in model.p:
        model.p[name] = stored[f"{family}/parameter/{name}"].clone().requires_grad_()
    weight = torch.randn(HIDDEN_SIZE).requires_grad_()
    bias = torch.tensor(0.25).requires_grad_()
    keep(f"{family}/score", weight)
    found = rewards(model, weight, bias)
    keep(f"{family}/rewards", found)
    value = -(WEIGHTS * F.logsigmoid(differences(found))).sum()
    loss(f"{family}/ranking", model, value, {"score.weight": weight, "score.bias": bias})

    lengths = torch.tensor([float(len(answer)) for _, answer, _ in answers()])
    references = torch.tensor(REFERENCES)
    keep(f"{family}/log_probabilities", log_probabilities(model))
    margins = lambda: BETA * differences(log_probabilities(model) - references)
    loss(f"{family}/dpo", model, -(WEIGHTS * F.logsigmoid(margins())).sum())
    smoothed = lambda x: (1 - SMOOTHING) * F.logsigmoid(x) + SMOOTHING * F.logsigmoid(-x)
    loss(f"{family}/dpo_smoothed", model, -(WEIGHTS * smoothed(margins())).sum())
    means = differences((log_probabilities(model) - references) / lengths)
    loss(f"{family}/ipo", model, (WEIGHTS * (means - 1 / (2 * BETA)) ** 2).sum())


if __name__ == "__main__":
    torch.manual_seed(2)
    stored = load_file(HERE / "torch.safetensors")
    for family in ["gpt2", "llama"]:
        of(family, stored)
    save_file(figures, HERE / "preferences.safetensors")

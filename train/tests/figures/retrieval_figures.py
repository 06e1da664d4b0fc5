"""Writes retrieval.safetensors: losses of encoders and their gradients as PyTorch computes them, of the models of torch.safetensors.

    python retrieval_figures.py     (needs torch and safetensors)

Three questions; their passages, of which two have one, and two hard negatives. One passage answers another question, too, and is no negative
of it. Formula: Karpukhin et al. 2020, equation 2, over all passages of the batch.
"""

import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

from preference_figures import hidden
from torch_figures import Model

HERE = pathlib.Path(__file__).parent
QUERIES = [[1, 2, 0], [9, 0], [3, 4, 5, 0]]
PASSAGES = [[6, 0], [7, 8, 0], [2, 2, 10, 0], [5, 1, 6, 0]]
POSITIVES = [1, 3, 1]
EXCLUDED = [(2, 3)]
figures = {}


def vectors(model, texts, pooling, cosine):
    states = [hidden(model, torch.tensor([ids]))[0] for ids in texts]
    pooled = torch.stack([state[-1] if pooling == "last" else state.mean(0) for state in states])
    return F.normalize(pooled) if cosine else pooled


def of(name, models, pooling, cosine, temperature):
    queries = vectors(models[0], QUERIES, pooling, cosine)
    passages = vectors(models[-1], PASSAGES, pooling, cosine)
    scores = queries @ passages.T / temperature
    for query, column in EXCLUDED:
        scores[query, column] = -torch.inf
    for model in models:
        for parameter in model.p.values():
            parameter.grad = None
    loss = F.cross_entropy(scores, torch.tensor(POSITIVES))
    loss.backward()
    figures[f"{name}/loss"] = loss.detach()[None]
    figures[f"{name}/queries"] = queries.detach().contiguous()
    figures[f"{name}/passages"] = passages.detach().contiguous()
    for prefix, model in zip(["", "passage."], models):
        for key, parameter in model.p.items():
            if parameter.grad is not None:
                figures[f"{name}/gradient/{prefix}{key}"] = parameter.grad.clone()


def loaded(family, stored):
    model = Model(family)
    for name in model.p:
        model.p[name] = stored[f"{family}/parameter/{name}"].clone().requires_grad_()
    return model


if __name__ == "__main__":
    stored = load_file(HERE / "torch.safetensors")
    for family in ["gpt2", "llama"]:
        shared = [loaded(family, stored)]
        of(f"{family}/shared_last_dot", shared, "last", False, 1.0)
        of(f"{family}/shared_mean_cosine", shared, "mean", True, 0.05)
        of(f"{family}/two_last_dot", [loaded(family, stored), loaded(family, stored)], "last", False, 2.0)
    save_file(figures, HERE / "retrieval.safetensors")

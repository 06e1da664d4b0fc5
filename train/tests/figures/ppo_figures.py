"""Writes ppo.safetensors: the arithmetic of PPO as PyTorch computes it, and its loss with gradients, of the models of torch.safetensors.

    python ppo_figures.py     (needs torch and safetensors)

Formulas are those of the papers, and of Ziegler et al.'s code: Schulman et al. 2016, equation 16, as the sum that it is and not as a loop;
Schulman et al. 2017, equation 7; Ouyang et al. 2022, equation 2. All is computed in double precision from inputs that are single precision.
"""

import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

from preference_figures import hidden
from torch_figures import HIDDEN_SIZE, VOCAB_SIZE, Model

HERE = pathlib.Path(__file__).parent
# a prompt's ids and an answer's
EPISODES = [([1, 2], [3, 4, 5, 0]), ([9, 3, 1], [2, 0]), ([7], [8, 10, 0])]
TOKENS = sum(len(answer) for _, answer in EPISODES)
PRETRAINING, PRETRAINING_TIME = 6, 5
CLIP, VALUE_CLIP, VALUE_WEIGHT, TEMPERATURE, PRETRAINING_WEIGHT = 0.2, 0.2, 0.1, 0.7, 2.5
LAMBDA, KL_COEFFICIENT, SCORE = 0.95, 0.15, 1.75
figures = {}


def keep(name, tensor):
    kept = tensor.detach().clone().contiguous()
    figures[name] = kept.int() if kept.dtype == torch.int64 else kept.float()


def single(tensor):
    """The same numbers as single precision has them."""
    return tensor.float().double()


def advantages():
    for length, tokens in [("short", 5), ("long", 12)]:
        rewards, values = single(torch.randn(2, tokens))
        keep(f"advantages/{length}/rewards", rewards)
        keep(f"advantages/{length}/values", values)
        for name, gamma in [("undiscounted", 1.0), ("discounted", 0.95)]:
            delta = rewards + gamma * F.pad(values, (0, 1))[1:] - values
            found = torch.stack([sum((gamma * LAMBDA) ** (i - t) * delta[i] for i in range(t, tokens)) for t in range(tokens)])
            keep(f"advantages/{length}/{name}/advantages", found)
            keep(f"advantages/{length}/{name}/returns", found + values)
            explained = 1 - (found + values - values).var(unbiased=False) / (found + values).var(unbiased=False)
            keep(f"advantages/{length}/{name}/explained_variance", explained[None])


def whitening():
    values = single(3 + 2 * torch.randn(20))
    whitened = (values - values.mean()) * torch.rsqrt(values.var(unbiased=False) + 1e-8)
    keep("whitening/values", values)
    keep("whitening/shifted", whitened)
    keep("whitening/unshifted", whitened + values.mean())


def rewards():
    log_probabilities, references = single(-3 * torch.rand(2, 7))
    log_ratios = log_probabilities - references
    found = -KL_COEFFICIENT * log_ratios
    found[-1] += SCORE
    keep("rewards/log_probabilities", log_probabilities)
    keep("rewards/references", references)
    keep("rewards/rewards", found)
    keep("rewards/kl", log_ratios.sum()[None])
    keep("rewards/k3", (torch.exp(-log_ratios) - 1 + log_ratios).mean()[None])


def copied(stored, family):
    model = Model(family)
    for name in model.p:
        model.p[name] = stored[f"{family}/parameter/{name}"].double().requires_grad_()
    return model


def log_probabilities(policy):
    def of(prompt, answer):
        logits = policy.logits(torch.tensor([(prompt + answer)[:-1]]))[0, len(prompt) - 1 :] / TEMPERATURE
        return F.log_softmax(logits, 1).gather(1, torch.tensor(answer)[:, None])[:, 0]

    return torch.cat([of(prompt, answer) for prompt, answer in EPISODES])


def values(model, weight, bias):
    of = lambda prompt, answer: hidden(model, torch.tensor([(prompt + answer)[:-1]]))[0, len(prompt) - 1 :] @ weight + bias
    return torch.cat([of(prompt, answer) for prompt, answer in EPISODES])


def noise(small, large):
    """Numbers that are well inside of a clip range or well outside, of either sign."""
    sizes = torch.where(torch.rand(TOKENS) < 0.5, small * torch.rand(TOKENS), large * (1 + torch.rand(TOKENS)))
    return sizes * torch.where(torch.rand(TOKENS) < 0.5, 1.0, -1.0)


def of(family, stored):
    policy, value = copied(stored, family), copied(stored, family)
    weight = single(torch.randn(HIDDEN_SIZE)).requires_grad_()
    bias = torch.tensor(0.25).requires_grad_()
    keep(f"{family}/score", weight)
    new, found = log_probabilities(policy), values(value, weight, bias)
    keep(f"{family}/new_log_probabilities", new)
    keep(f"{family}/new_values", found)

    old, old_values = single(new.detach() - noise(0.1, 0.3)), single(found.detach() - noise(0.1, 0.3))
    advantages, returns = single(torch.randn(TOKENS)), single(found.detach() + torch.randn(TOKENS))
    keep(f"{family}/log_probabilities", old)
    keep(f"{family}/values", old_values)
    keep(f"{family}/advantages", advantages)
    keep(f"{family}/returns", returns)
    inputs, targets = torch.randint(0, VOCAB_SIZE, (2, PRETRAINING, PRETRAINING_TIME))
    weights = (torch.rand(PRETRAINING, PRETRAINING_TIME) < 0.7).double()
    keep(f"{family}/pretraining/inputs", inputs)
    keep(f"{family}/pretraining/targets", targets)
    keep(f"{family}/pretraining/weights", weights)

    ratio = torch.exp(new - old)
    free, held = -advantages * ratio, -advantages * torch.clamp(ratio, 1 - CLIP, 1 + CLIP)
    near = torch.max(old_values - VALUE_CLIP, torch.min(old_values + VALUE_CLIP, found))
    free_value, held_value = (found - returns) ** 2, (near - returns) ** 2
    losses = F.cross_entropy(policy.logits(inputs).flatten(0, 1), targets.flatten(), reduction="none")
    parts = {
        "policy_loss": torch.max(free, held).mean(),
        "value_loss": torch.max(free_value, held_value).mean() / 2,
        "clip_share": (held > free).double().mean(),
        "value_clip_share": (held_value > free_value).double().mean(),
        "approximate_kl": ((new - old) ** 2).mean() / 2,
        "pretraining_loss": (losses * weights.flatten()).sum() / weights.sum(),
    }
    # both branches occur, and what decides is no matter of rounding, not even on a GPU
    for one, other, edges in [(held, free, ratio - 1), (held_value, free_value, found - old_values)]:
        assert 0 < (other < one).sum() < TOKENS and (other > one).any(), "too few cases"
        assert (edges.abs() - CLIP).abs().min() > 0.03, "too close to the edge"
        assert (other - one)[one != other].abs().min() > 0.01, "too close to each other"
    for name, part in parts.items():
        keep(f"{family}/{name}", part[None])
    loss = parts["policy_loss"] + VALUE_WEIGHT * parts["value_loss"] + PRETRAINING_WEIGHT * parts["pretraining_loss"]
    keep(f"{family}/loss", loss[None])
    loss.backward()
    named = {f"model.{name}": parameter for name, parameter in policy.p.items()}
    named |= {f"value.model.{name}": parameter for name, parameter in value.p.items()}
    named |= {"value.score.weight": weight, "value.score.bias": bias}
    for name, parameter in named.items():
        # a value network has no use for its language model's head
        if parameter.grad is not None:
            keep(f"{family}/gradient/{name}", parameter.grad)


if __name__ == "__main__":
    torch.manual_seed(5)
    torch.set_default_dtype(torch.float64)
    advantages()
    whitening()
    rewards()
    stored = load_file(HERE / "torch.safetensors")
    for family in ["gpt2", "llama"]:
        of(family, stored)
    save_file(figures, HERE / "ppo.safetensors")

#!/usr/bin/env bash
# PyTorch 2.15.0 computes `log_softmax` of long rows in single precision on a CPU with an error that always points one way: over 151,936
# logits, the vocabulary of Qwen2, each log-probability is some 1e-5 too high, over 49,152 some 1e-6 to 4e-6, and over 1,000 none. The powers
# of a row are added up in few sums of single precision, and beside the power of the likeliest token, which is 1, the many small ones get
# lost. `torch.logsumexp` on the same rows has no such error.
#
# A token does not notice. A text does: log-likelihoods of 10,000 tokens come out up to 0.1 nats too high, so that two programs that agree on each token to
# the last digit of single precision differ on texts by more than a tolerance of 1e-3. lm-evaluation-harness takes its figures from
# `log_softmax`. Concerns whoever compares perplexities across programs: take the softmax in double precision, which the harness does with
# `softmax_dtype=float64`, or `logits - logsumexp`.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.15.0 numpy
cat >"$folder/run.py" <<'PYTHON'
import sys

import torch

print("torch", torch.__version__)
generator = torch.Generator().manual_seed(0)
found = {}
for vocabulary in (1000, 49_152, 151_936):
    logits = torch.randn(256, vocabulary, generator=generator) * 5
    exact = torch.log_softmax(logits.double(), -1)[:, 0]
    by_softmax = torch.log_softmax(logits, -1)[:, 0].double() - exact
    by_sum = logits.double()[:, 0] - torch.logsumexp(logits, -1).double() - exact
    found[vocabulary] = by_softmax.mean().item(), (by_softmax > 0).double().mean().item(), by_sum.mean().item()
    print(f"{vocabulary} logits: log_softmax {found[vocabulary][0]:+.1e} on average, too high in {found[vocabulary][1]:.0%}; logsumexp {found[vocabulary][2]:+.1e}")
none, some, most = found[1000], found[49_152], found[151_936]
holds = abs(none[0]) < 3e-7 and some[0] > 1e-6 and most[0] > 5e-6 and most[1] > 0.99 and all(abs(row[2]) < 3e-7 for row in found.values())
sys.exit(not holds)
PYTHON
"$folder/venv/bin/python" "$folder/run.py"
# torch 2.15.0+cu132
# 1000 logits: log_softmax +7.3e-08 on average, too high in 57%; logsumexp +1.3e-08
# 49152 logits: log_softmax +3.5e-06 on average, too high in 100%; logsumexp -1.3e-08
# 151936 logits: log_softmax +9.5e-06 on average, too high in 100%; logsumexp -4.0e-08

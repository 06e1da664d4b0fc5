#!/usr/bin/env python3
"""How fast sentence-transformers gives passages vectors by a decoder, to compare with `train index build --encoder`.

    encode_sentence_transformers.py --model FOLDER --documents FILE [--count 400] [--max-length 64] [--batch-size 32] [--threads 2]

The model is read at the mean of its last hidden states, in single precision. Tokens are those of the passages, each cut at the maximal length.
Beside it, on the same rows:

    train retrieve CONFIG --set model.from=FOLDER --set model.context_length=64 --set encoder.pooling=mean --until 0 --out OUT
    head -n 400 FILE > SOME; train index build INDEX SOME --encoder OUT

(needs sentence-transformers)
"""

import argparse
import json
import resource
import time

import torch
from sentence_transformers import SentenceTransformer, models

parser = argparse.ArgumentParser()
parser.add_argument("--model", required=True)
parser.add_argument("--documents", required=True)
parser.add_argument("--count", type=int, default=400)
parser.add_argument("--max-length", type=int, default=64)
parser.add_argument("--batch-size", type=int, default=32)
parser.add_argument("--threads", type=int, default=2)
given = parser.parse_args()

torch.set_num_threads(given.threads)
transformer = models.Transformer(given.model, max_seq_length=given.max_length, model_args={"dtype": torch.float32})
if transformer.tokenizer.pad_token is None:
    transformer.tokenizer.pad_token = transformer.tokenizer.eos_token
pooling = models.Pooling(transformer.get_word_embedding_dimension(), pooling_mode="mean")
model = SentenceTransformer(modules=[transformer, pooling], device="cpu")
with open(given.documents) as lines:
    texts = [json.loads(line)["text"] for line, _ in zip(lines, range(given.count))]
tokens = sum(min(len(ids), given.max_length) for ids in transformer.tokenizer(texts)["input_ids"])
model.encode(texts[:8], batch_size=8, show_progress_bar=False)
begun = time.perf_counter()
vectors = model.encode(texts, batch_size=given.batch_size, show_progress_bar=False)
seconds = time.perf_counter() - begun
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(f"{len(vectors)} passages, {tokens} tokens, width {vectors.shape[1]}: {seconds:.1f} s, {tokens / seconds:.0f} tokens/s, peak {peak:.2f} GiB")

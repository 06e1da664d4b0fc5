"""Loads an exported T5 in transformers, and prints what it computes as JSON: logits of a target, a greedy text, and one of 4 beams.

    python t5_logits.py FOLDER "[source ids]" "[target ids]"     (needs torch and transformers)
"""

import json
import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from transformers import T5ForConditionalGeneration

model = T5ForConditionalGeneration.from_pretrained(sys.argv[1], dtype=torch.float32).eval()
source, target = (torch.tensor([json.loads(ids)]) for ids in sys.argv[2:])


def text(**how):
    new = model.generate(source, max_new_tokens=9, do_sample=False, **how)[0, 1:].tolist()
    return new[: new.index(1) + 1] if 1 in new else new


with torch.no_grad():
    logits = model(input_ids=source, decoder_input_ids=target).logits.flatten().tolist()
    print(json.dumps({"logits": logits, "greedy": text(), "beams": text(num_beams=4, early_stopping="never")}))

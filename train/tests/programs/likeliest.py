"""What a model of transformers makes of some texts: the logits of each, and the tokens that it writes behind it, the likeliest every time.

    python likeliest.py FOLDER TEXTS OUT TOKENS     (needs torch and transformers; TEXTS: a JSON list)

OUT is a file of tensors: N.ids, N.logits and N.new for text N.
"""

import json
import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers
from safetensors.torch import save_file

folder, texts, out, count = sys.argv[1], json.load(open(sys.argv[2])), sys.argv[3], int(sys.argv[4])
tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
tensors = {}
with torch.no_grad():
    for number, text in enumerate(texts):
        ids = torch.tensor([tokenizer(text)["input_ids"]])
        made = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=count, do_sample=False)
        tensors[f"{number}.ids"] = ids[0].int()
        tensors[f"{number}.logits"] = model(ids).logits[0].contiguous()
        tensors[f"{number}.new"] = made[0, ids.shape[1]:].int()
save_file(tensors, out)

"""What PEFT computes with an adapter on a model, as tensors: logits, and the gradients of A and B.

    python peft_adapter.py FOLDER ADAPTER OUT "[[ids]]" "[[targets]]"              with the adapter that is there
    python peft_adapter.py FOLDER ADAPTER OUT "[[ids]]" "[[targets]]" "{config}"   with one that is made, of random numbers
                                                                                   (needs torch, transformers and peft)
"""

import json
import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

folder, adapter, out = sys.argv[1:4]
ids, targets = (torch.tensor(json.loads(text)) for text in sys.argv[4:6])
base = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
if len(sys.argv) > 6:
    torch.manual_seed(1)
    # without initial weights of its own, B is random, too
    config = LoraConfig(**json.loads(sys.argv[6]), init_lora_weights=False, task_type="CAUSAL_LM")
    model = get_peft_model(base, config)
    model.peft_config["default"].init_lora_weights = True
    model.save_pretrained(adapter)
else:
    model = PeftModel.from_pretrained(base, adapter, is_trainable=True)
model.eval()
logits = model(input_ids=ids).logits
torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten()).backward()
found = {"logits": logits.detach().contiguous()}
for name, parameter in model.named_parameters():
    if parameter.grad is not None:
        found["gradient/" + name.replace(".default", "")] = parameter.grad.contiguous()
save_file(found, out)

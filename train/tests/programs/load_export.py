"""Loads an exported folder in programs of others, lets each go on with a text, and prints what each made of it as a line of JSON.

    python load_export.py FOLDER TEXT TOKENS     (needs torch and transformers; ctranslate2 where it is there)

    {"program": "transformers", "text": the text and what follows, "ids": the new ids}
    {"program": "ctranslate2", "error": why it does not load}
"""

import json
import os
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers

folder, text, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
prompt = tokenizer(text)["input_ids"]


def by_transformers():
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    ids = torch.tensor([prompt])
    return model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=count, do_sample=False)[0, len(prompt):].tolist()


def by_ctranslate2():
    import ctranslate2

    with tempfile.TemporaryDirectory() as out:
        ctranslate2.converters.TransformersConverter(folder).convert(out, force=True)
        generator = ctranslate2.Generator(out, device="cpu", compute_type="float32")
        tokens = tokenizer.convert_ids_to_tokens(prompt)
        made = generator.generate_batch(
            [tokens], max_length=count, sampling_topk=1, include_prompt_in_result=False, return_end_token=True,
            end_token=model_ends(),
        )
        return made[0].sequences_ids[0]


def model_ends():
    ends = transformers.GenerationConfig.from_pretrained(folder).eos_token_id
    return ends if isinstance(ends, list) else [ends]


for name, run in [("transformers", by_transformers), ("ctranslate2", by_ctranslate2)]:
    try:
        ids = run()
        made = {"text": tokenizer.decode(prompt + ids, skip_special_tokens=True), "ids": ids}
    except Exception as error:
        made = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps({"program": name, **made}), flush=True)

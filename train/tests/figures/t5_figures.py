"""Writes the folders t5 and t5-v1.1: small T5s of transformers with random weights, and what it computes with them: logits, loss, gradients,
greedy and beam search.

    python t5_figures.py     (needs torch, transformers and safetensors)
"""

import pathlib

import torch
from safetensors.torch import save_file
from transformers import T5Config, T5ForConditionalGeneration

here = pathlib.Path(__file__).parent
sizes = dict(
    vocab_size=19, d_model=8, d_kv=3, d_ff=12, num_layers=2, num_heads=2, decoder_start_token_id=0, pad_token_id=0, eos_token_id=1,
    dropout_rate=0.0,
)
# of some seeds those whose texts are different and end
models = {
    "t5": (3, T5Config(**sizes)),
    "t5-v1.1": (11, T5Config(**sizes, feed_forward_proj="gated-gelu", tie_word_embeddings=False)),
}
# long enough for buckets of more than one distance, in both stacks
SOURCE, TARGET, LENGTHS = 24, 21, [24, 11]
for name, (seed, config) in models.items():
    torch.manual_seed(seed)
    model = T5ForConditionalGeneration(config).eval()
    if name == "t5-v1.1":
        # transformers 5 ties what does not differ
        model.lm_head.weight = torch.nn.Parameter(torch.empty_like(model.lm_head.weight))
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            parameter.normal_(std=1.5 if key in ["shared.weight", "lm_head.weight"] else 0.8)
    source = torch.randint(2, 19, (2, SOURCE))
    mask = torch.arange(SOURCE)[None] < torch.tensor(LENGTHS)[:, None]
    targets = torch.randint(2, 19, (2, TARGET))
    labels = targets.clone()
    labels[1, 9:] = -100
    out = model(input_ids=source, attention_mask=mask.long(), labels=labels)
    out.loss.backward()
    figures = {
        "source": source.int(), "lengths": torch.tensor(LENGTHS).int(), "inputs": model._shift_right(labels).int(),
        "targets": targets.int(), "weights": (labels >= 0).float() / (labels >= 0).sum(),
        "logits": out.logits.detach().contiguous(), "loss": out.loss.detach()[None],
    }
    figures |= {f"gradient/{key}": parameter.grad.contiguous() for key, parameter in model.named_parameters()}
    for row, length in enumerate(LENGTHS):
        for beams, penalty in [(1, 1.0), (3, 1.0), (4, 0.0), (5, 2.0)]:
            with torch.no_grad():
                new = model.generate(
                    source[row : row + 1, :length], num_beams=beams, length_penalty=penalty, max_new_tokens=9, do_sample=False,
                    early_stopping="never" if beams > 1 else False,
                )[0, 1:]
            ends = (new == 1).nonzero()
            new = new[: ends[0, 0] + 1] if len(ends) else new
            print(name, row, beams, penalty, new.tolist())
            figures[f"beams/{row}/{beams}/{penalty}"] = new.int()
    model.save_pretrained(here / name)
    (here / name / "generation_config.json").unlink(missing_ok=True)
    save_file(figures, here / name / "figures.safetensors")

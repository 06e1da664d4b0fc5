"""Writes the folders gpt1, gpt2, llama, llama-linear, llama-llama3, llama-biases and qwen2: small models of transformers with random
weights, and the logits that it computes.

    python transformers_figures.py [NAME...]     (needs torch, transformers and safetensors)
"""

import pathlib
import sys

import torch
from safetensors.torch import save_file
from transformers import (
    GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, OpenAIGPTConfig, OpenAIGPTLMHeadModel, Qwen2Config, Qwen2ForCausalLM,
)

here = pathlib.Path(__file__).parent
gpt = dict(vocab_size=11, n_positions=6, n_embd=8, n_layer=2, n_head=4, bos_token_id=10, eos_token_id=10)
llama = LlamaConfig(
    vocab_size=11, hidden_size=8, intermediate_size=12, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
    max_position_embeddings=6, rms_norm_eps=1e-5, bos_token_id=10, eos_token_id=10, rope_theta=500.0,
)


def stretched(**rope):
    """Rotary positions of several frequencies, which are scaled; and a norm that the last logits depend on."""
    return LlamaConfig(
        vocab_size=11, hidden_size=16, intermediate_size=12, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
        max_position_embeddings=128, rms_norm_eps=1e-2, bos_token_id=10, eos_token_id=10,
        rope_parameters=dict(rope_theta=500.0, **rope),
    )


# heads whose size is not the hidden size over their number, and biases wherever there may be some
biases = LlamaConfig(
    vocab_size=11, hidden_size=8, intermediate_size=12, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=6,
    max_position_embeddings=6, bos_token_id=10, eos_token_id=10, attention_bias=True, mlp_bias=True, tie_word_embeddings=True,
)
qwen2 = Qwen2Config(
    vocab_size=11, hidden_size=8, intermediate_size=12, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
    max_position_embeddings=6, bos_token_id=10, eos_token_id=10,
)
three = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64)
models = {
    "gpt1": lambda: OpenAIGPTLMHeadModel(OpenAIGPTConfig(**gpt)),
    "gpt2": lambda: GPT2LMHeadModel(GPT2Config(**gpt)),
    "llama": lambda: LlamaForCausalLM(llama),
    "llama-linear": lambda: LlamaForCausalLM(stretched(rope_type="linear", factor=2.0)),
    "llama-llama3": lambda: LlamaForCausalLM(stretched(**three)),
    "llama-biases": lambda: LlamaForCausalLM(biases),
    "qwen2": lambda: Qwen2ForCausalLM(qwen2),
}
for name in sys.argv[1:] or models:
    make = models[name]
    torch.manual_seed(1)
    model = make().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.3)
        ids = torch.tensor([[1, 2, 3, 4, 5, 0], [9, 8, 7, 10, 10, 1]])
        logits = model(ids).logits
    model.save_pretrained(here / name)
    (here / name / "generation_config.json").unlink(missing_ok=True)
    save_file({"ids": ids.int(), "logits": logits.contiguous()}, here / name / "logits.safetensors")

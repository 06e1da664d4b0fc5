"""Asks a server by the package `openai` whatever that can ask of it, and fails where an answer is not what it should be.

    python openai_client.py ADDRESS NAME     (needs openai)
"""

import sys

import openai

address, name = sys.argv[1:]
client = openai.OpenAI(base_url=f"http://{address}/v1", api_key="secret", max_retries=0)
assert [model.id for model in client.models.list()] == [name]
assert client.models.retrieve(name).id == name

# completions
asked = {"model": name, "prompt": "The river", "max_tokens": 12, "temperature": 0}
whole = client.completions.create(**asked, logprobs=2)
text, logprobs = whole.choices[0].text, whole.choices[0].logprobs
assert whole.object == "text_completion" and whole.choices[0].finish_reason == "length"
assert whole.usage.completion_tokens == len(logprobs.tokens) == len(logprobs.text_offset) == 12
for number, top in zip(logprobs.token_logprobs, logprobs.top_logprobs):
    assert number == max(top.values()) and len(top) == 2
echoed = client.completions.create(**{**asked, "max_tokens": 0}, echo=True, logprobs=1).choices[0]
assert echoed.text == "The river" and echoed.logprobs.token_logprobs[0] is None
two = client.completions.create(**{**asked, "temperature": 1}, n=2, best_of=3, seed=7)
assert len(two.choices) == 2 and two.usage.completion_tokens == 36
assert two.choices == client.completions.create(**{**asked, "temperature": 1}, n=2, best_of=3, seed=7).choices
assert len(client.completions.create(**{**asked, "prompt": [[5, 6], [7]]}).choices) == 2
stop = text[3:6]
assert client.completions.create(**asked, stop=[stop]).choices[0].text == text[: text.find(stop)]

# in pieces
pieces = list(client.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
assert "".join(piece.choices[0].text for piece in pieces[:-1]) == text
assert pieces[-1].usage == whole.usage and pieces[-2].choices[0].finish_reason == "length"
with client.completions.create(**{**asked, "max_tokens": 1000}, stream=True) as stream:
    next(iter(stream))

# conversations
talk = {"model": name, "messages": [{"role": "user", "content": "Say something."}], "max_tokens": 10, "temperature": 0}
answer = client.chat.completions.create(**talk, logprobs=True, top_logprobs=3)
said = answer.choices[0].message
assert said.role == "assistant" and answer.object == "chat.completion"
tokens = answer.choices[0].logprobs.content
assert len(tokens) == answer.usage.completion_tokens and all(len(token.top_logprobs) == 3 for token in tokens)
assert bytes(byte for token in tokens for byte in token.bytes).decode(errors="replace") == said.content
pieces = list(client.chat.completions.create(**talk, stream=True))
assert pieces[0].choices[0].delta.role == "assistant"
assert "".join(piece.choices[0].delta.content or "" for piece in pieces) == said.content
with client.chat.completions.stream(**talk) as stream:
    assert "".join(event.delta for event in stream if event.type == "content.delta") == said.content

# errors
def fails(kind, asks, **expected):
    try:
        asks()
    except kind as error:
        found = {key: getattr(error, key) for key in expected}
        assert found == expected, (found, error)
    else:
        raise AssertionError(f"no {kind}")


fails(openai.BadRequestError, lambda: client.completions.create(**{**asked, "temperature": 3}), param="temperature", type="invalid_request_error")
fails(openai.BadRequestError, lambda: client.completions.create(**asked, extra_body={"mood": 1}), param="mood", code="unknown_parameter")
fails(openai.BadRequestError, lambda: client.completions.create(**{**asked, "prompt": "a " * 9000}), code="context_length_exceeded")
fails(openai.NotFoundError, lambda: client.completions.create(**{**asked, "model": "another"}), code="model_not_found")
fails(openai.AuthenticationError, lambda: client.with_options(api_key="another").models.list(), code="invalid_api_key")

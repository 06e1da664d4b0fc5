"""Has lm-evaluation-harness score a model twice: over a server, by `local-completions`, and from its folder, by `hf`.

    python harness.py ADDRESS NAME FOLDER TASKS LIMIT CONTEXT     (needs lm_eval with its API, torch, transformers)

TASKS is a JSON list of the harness's configurations of tasks. For each a line of JSON is printed:

    {"task": ..., "numbers": log-likelihoods, "furthest": the largest difference, "greedy": answers to whether a continuation is the
     likeliest that differ, "texts": generated texts, "other": those that differ}
"""

import json
import os
import sys

os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_OFFLINE"] = "1"

import lm_eval

address, name, folder, tasks, limit, context = sys.argv[1:]
tasks = json.load(open(tasks))


def samples(model, arguments, batch_size):
    """The answers to each task's documents."""
    found = lm_eval.simple_evaluate(
        model=model, model_args=arguments, tasks=json.loads(json.dumps(tasks)), limit=int(limit), batch_size=batch_size, bootstrap_iters=0,
    )
    return found["samples"]


def flat(value):
    """The numbers, truths and texts of an answer, in their order."""
    if isinstance(value, (list, tuple)):
        return [part for each in value for part in flat(each)]
    if isinstance(value, str) and value in ("True", "False"):
        return [value == "True"]
    return [value]


length = min(int(context), 2048)
over = f"model={name},base_url=http://{address}/v1/completions,num_concurrent=4,max_length={length}"
served = samples("local-completions", over, 4)
# over a server the harness keeps one token for generation, and in windows another for context
alone = samples("hf", f"pretrained={folder},dtype=float32,device=cpu,softmax_dtype=float64,max_length={length - 2}", 4)
for task in tasks:
    task = task["task"]
    numbers, furthest, greedy, texts, other = 0, 0.0, 0, 0, []
    by_document = {sample["doc_id"]: sample for sample in alone[task]}
    assert len(by_document) == len(served[task]) > 0
    for sample in served[task]:
        one, two = flat(sample["resps"]), flat(by_document[sample["doc_id"]]["resps"])
        assert len(one) == len(two), (one, two)
        for ours, theirs in zip(one, two):
            if isinstance(theirs, bool) or isinstance(ours, bool):
                greedy += bool(ours) != bool(theirs)
            elif isinstance(theirs, str) and not theirs.lstrip("-").replace(".", "", 1).replace("e-", "", 1).isdigit():
                texts += 1
                other += [[ours, theirs]] if ours != theirs else []
            else:
                numbers += 1
                furthest = max(furthest, abs(float(ours) - float(theirs)))
    print(json.dumps({"task": task, "numbers": numbers, "furthest": furthest, "greedy": greedy, "texts": texts, "other": other}))

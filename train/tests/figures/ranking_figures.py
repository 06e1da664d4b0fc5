"""Writes ranking.json: rankings with graded judgements, and what trec_eval's measures are on them (by pytrec_eval).

    python ranking_figures.py > ranking.json

Takes pytrec_eval-terrier.
"""

import json
import random

import pytrec_eval

MEASURES = {"recip_rank", "map", "ndcg_cut_5,10", "success_5,10", "recall_5,10"}

dice = random.Random(1)
cases = []
for number in range(40):
    count = dice.randrange(1, 30)
    judged = {f"d{place}": dice.choice([0, 0, 0, 1, 1, 2, 3]) for place in range(count)}
    if number % 10 == 9:
        judged = dict.fromkeys(judged, 0)
    ranking = [f"d{place}" for place in range(count + 5) if dice.random() < 0.8]
    dice.shuffle(ranking)
    ranking = ranking or ["d0"]
    run = {name: float(len(ranking) - place) for place, name in enumerate(ranking)}
    found = pytrec_eval.RelevanceEvaluator({"q": judged}, MEASURES).evaluate({"q": run})["q"]
    gains = [judged.get(name, 0) for name in ranking]
    cases.append({"gains": gains, "judged": list(judged.values()), "figures": found})
print("[\n" + ",\n".join(map(json.dumps, cases)) + "\n]")

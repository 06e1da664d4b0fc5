"""Times scores of texts with `sacrebleu` and `rouge_score`.

    python metrics_python.py HYPOTHESES REFERENCES

Both files have a text on each line. Prints for each score its value and seconds, as the bench `metrics` does.

Takes sacrebleu, rouge_score.
"""

import sys
import time

from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import BLEU, CHRF


def timed(what, score):
    start = time.time()
    value = score()
    print(f"{what:<24} {value:>8.4f} {time.time() - start:>8.3f} s")


def main():
    hypotheses, references = (open(path).read().splitlines() for path in sys.argv[1:])
    print(f"{len(hypotheses)} texts")
    for tokenizer in ["13a", "intl", "zh"]:
        timed(f"BLEU {tokenizer}", lambda: BLEU(tokenize=tokenizer, force=True).corpus_score(hypotheses, [references]).score)
    for order in [0, 2]:
        timed("chrF2" + "+" * order, lambda: CHRF(word_order=order).corpus_score(hypotheses, [references]).score)
    scorer = RougeScorer(["rouge1", "rouge2", "rougeL", "rougeLsum"], use_stemmer=True)
    scores = lambda: [scorer.score(reference, text)["rougeLsum"].fmeasure for text, reference in zip(hypotheses, references)]
    timed("ROUGE", lambda: 100 * sum(scores()) / len(hypotheses))
    bleu = BLEU(force=True)
    timed("standard error of BLEU", lambda: bleu.corpus_score(hypotheses, [references], n_bootstrap=1000)._ci / 1.96)


main()

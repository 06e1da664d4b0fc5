"""Writes metrics.json: what others' packages compute of texts and labels, for tests/it/metrics.rs to compare with.

    python metric_figures.py SQUAD            (needs sacrebleu 2.6.0, rouge_score 0.1.2, scikit-learn and scipy)
    python metric_figures.py SQUAD FILE N     writes N drawn texts instead; TAMIS_METRIC_FIGURES=FILE cargo test tells the test to read them

SQUAD is the script evaluate-v1.1.py, as SQuAD's site hands it out. The texts are written here, by nobody else.
"""

import importlib.util
import json
import logging
import pathlib
import random
import sys

import numpy as np
import scipy.stats
import sklearn.calibration
import sklearn.metrics
from nltk.stem.porter import PorterStemmer
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import BLEU, CHRF

logging.disable(logging.WARNING)

TOKENIZERS = ["13a", "intl", "char", "zh", "none"]
BLEUS = {tokenizer: {"tokenize": tokenizer} for tokenizer in TOKENIZERS} | {
    "lowercase": {"lowercase": True},
    "floor": {"smooth_method": "floor"},
    "add-k": {"smooth_method": "add-k", "smooth_value": 0.5},
    "unsmoothed": {"smooth_method": "none"},
    "effective": {"effective_order": True},
}
CHRFS = {
    "chrF2": {},
    "chrF2++": {"word_order": 2},
    "chrF1+": {"beta": 1, "word_order": 1, "char_order": 4},
    "lowercase": {"lowercase": True},
    "whitespace": {"whitespace": True},
    "eps": {"eps_smoothing": True, "word_order": 2},
}
ROUGES = ["rouge1", "rouge2", "rougeL", "rougeLsum"]

LINES = [
    "",
    " \t ",
    "3,000.5-fold, by 1,5 or .5; 7-9 and a-9 and 9-a",
    "The U.S. won; see pp. 3-5 (e.g. Fig.2).",
    "well-\nknown words of lines\nthat follow-\n",
    "it's 'quoted', \"twice\" -- or... not?! #1 & #2 @ 100% {x|y} ~z^2 = [a_b] \\ `c` <d> $5+6*7/8",
    "&quot;x&quot; &amp;lt; &lt;b&gt; &amp;amp; <skipped>gone",
    "..,,.5,.6..a..1,,2",
    "«Où ça ?» — l’été, 3,5 °C… 50 % d’€ 1.000,00",
    "¿Qué? ¡Sí! „Straße“ № 5 ½ Ⅷ ² x² 3² 3.² ².3",
    "他说：“你好，world！”3.5元。第１２３号 々〇 ㈱ ☃✓ → ≤ —",
    "𠀀𪛖 丽 한국어 テスト、です。 ﾃｽﾄ",
    "a\u00a0b\u2003c\u2028d\u0085e\u001cf\u200bg\ufeffh\u3000",
    "e\u0301a\u0308. A\u030a, \u202eabc 👩‍👩‍👧 🇩🇪! ١٢٣,٤٥٦ ५.५",
    "İSTANBUL ΣΊΣΥΦΟΣ ẞ ǅ ﬁn K",
    "x\r\ny\u000bz\u000c . , - ' \"",
]

# a text, and those that it is held against
TEXTS = [
    ("the cat sat on the mat", ["the cat sat on a mat"]),
    ("the cat sat on the mat", ["the cat sat on the mat"]),
    ("", [""]),
    ("", ["something is wanted"]),
    ("something is said", [""]),
    ("   \n ", [" . "]),
    (".", ["."]),
    ("the", ["The a an!"]),
    ("one", ["one"]),
    ("one two", ["one two three four five six"]),
    ("one two three", ["four five six"]),
    ("one two three", ["one two three four", "one two"]),
    ("the the the the the the the", ["the cat is on the mat", "there is a cat on the mat"]),
    ("A storm took the roof of the old mill in March.", ["In March, a storm tore the old mill's roof off."]),
    ("Costs rose 3,000.5-fold in the U.S., he said.", ["Costs in the U.S. rose 3,000.5-fold, he said.", "In the US, costs rose 3000.5 fold."]),
    ("They are well-\nknown for self-\nmade bread", ["They are well-known for self-made bread"]),
    ("They ARE Well Known", ["they are well known"]),
    ("\"Yes,\" she said - \"why not?\"", ["“Yes”, she said — “why not?”"]),
    ("&quot;Tom &amp; Ann&quot; &lt;3", ["\"Tom & Ann\" <3"]),
    ("Die Straße führt über den Fluß, nicht wahr?", ["Die Strasse führt über den Fluss; nicht wahr?", "Die Straße geht über den Fluß, oder?"]),
    ("Où l’été dure 3,5 mois : «là-bas».", ["Là-bas, l’été dure 3,5 mois."]),
    ("我们昨天去了北京的图书馆。", ["昨天我们去了北京图书馆。", "我们昨天到北京的图书馆去了。"]),
    ("价格是3.5元（约0.5美元）。", ["价格为 3.5 元，约 0.5 美元。"]),
    ("彼は「はい」と言った。", ["彼は「いいえ」と言った。"]),
    ("그는 학교에 갔다.", ["그녀는 학교에 갔다."]),
    ("العربية لغة جميلة، أليس كذلك؟", ["اللغة العربية جميلة، أليس كذلك؟"]),
    ("नमस्ते दुनिया, यह परीक्षण है।", ["नमस्ते दुनिया! यह एक परीक्षण है।"]),
    ("naïve café, cliché", ["naive cafe, cliche"]),
    ("na\u0131ve e\u0301t\u00e9 a\u0301b", ["naıve été áb"]),
    ("I ❤ 👩‍👩‍👧 and 🇩🇪!", ["I ❤ 👩‍👧 and 🇫🇷!"]),
    ("İSTANBUL ve ΣΊΣΥΦΟΣ K 5", ["istanbul ve σίσυφος k 5"]),
    ("a\u00a0b\u2003c\u2028d e\u001cf", ["a b c d e f"]),
    ("the answer is forty-two (42).", ["42", "forty two", "The Answer is 42"]),
    ("Paris, the capital", ["Paris", "the capital of France", "an Paris"]),
    ("A\u0301 the-an a1 theatre _a_ ", ["1 theatre"]),
    ("to be or not to be", ["to be or to be not", "not to be or to be"]),
    (
        "The committee's relational databases were conditionally operating.\nHopefully, generalizations of electricity helped.\n\nNobody was dying.",
        ["Operators conditioned the committee's relations.\nGeneral hopefulness about electrical things helps nobody.\nThey died."],
    ),
    (
        "the first line says one thing\nthe second line says another thing\nthe third says nothing",
        ["the second line says one thing\nanother line says the first thing\nnothing", "the third\nline\nsays\nthing"],
    ),
    ("x " * 40 + "y", ["x " * 30 + "y " * 5, "y x " * 20]),
]
# texts that are scored together, by their numbers
CORPORA = [[0], [2], [4, 10], [2, 3, 4, 8, 11], list(range(12)), list(range(12, 30)), list(range(len(TEXTS)))]


def long_text(seed, words, sentences):
    """Sentences of drawn words, most of which are short and frequent."""
    draw = random.Random(seed)
    vocabulary = "the of and to in is was that it for as with his on be at by had not are but from or have they which one".split()
    vocabulary += "river mills engineers reported flooding carefully measured 1,250.5 U.S. self-made U-turns don't".split()
    line = lambda: " ".join(vocabulary[int(len(vocabulary) * draw.random() ** 1.5)] for _ in range(words)) + "."
    return [line() for _ in range(sentences)]


def changed(text, draw, alphabet):
    """A text with some of its pieces left out, doubled, exchanged or replaced."""
    pieces = text.split(" ")
    for _ in range(draw.randint(0, 4)):
        place = draw.randrange(len(pieces))
        match draw.randrange(4):
            case 0:
                pieces[place : place + 1] = []
                pieces = pieces or [""]
            case 1:
                pieces.insert(place, draw.choice(pieces))
            case 2:
                pieces[place] = draw.choice(alphabet)
            case 3:
                draw.shuffle(pieces)
    return " ".join(pieces)


def drawn_texts(count, draw):
    alphabet = [piece for line in LINES for piece in line.split(" ")] + [sign for line in LINES for sign in line]
    alphabet += "the a an cat Cats sat mat running run hopefully hope relations relational U.S. 3,000.5-fold naïve 你好 。 \n \n -\n".split(" ") * 8
    for _ in range(count):
        text = " ".join(draw.choice(alphabet) for _ in range(int(40 * draw.random() ** 3)))
        yield changed(text, draw, alphabet), [changed(text, draw, alphabet) for _ in range(draw.choice([1, 1, 2, 3]))]


def tokens(tokenizer, line):
    return " ".join(BLEU(tokenize=tokenizer)._preprocess_segment(line).split())


def of_text(hypothesis, references, squad):
    found = {"hypothesis": hypothesis, "references": references}
    found["bleu"] = {name: BLEU(**options).sentence_score(hypothesis, references).score for name, options in BLEUS.items()}
    found["chrf"] = {name: CHRF(**options).sentence_score(hypothesis, references).score for name, options in CHRFS.items()}
    for name, stemmer in [("rouge", False), ("rouge_stemmed", True)]:
        scores = RougeScorer(ROUGES, use_stemmer=stemmer).score_multi(references, hypothesis)
        found[name] = [float(number) for kind in ROUGES for number in scores[kind]]
    if found["rouge_stemmed"] == found["rouge"]:
        del found["rouge_stemmed"]
    best = squad.metric_max_over_ground_truths
    found["exact_match"] = bool(best(squad.exact_match_score, hypothesis, references))
    found["f1"] = float(best(squad.f1_score, hypothesis, references))
    return found


def of_corpus(numbers, texts):
    hypotheses = [texts[number][0] for number in numbers]
    most = max(len(texts[number][1]) for number in numbers)
    streams = [[(texts[number][1] + [None] * most)[place] for number in numbers] for place in range(most)]
    printed = BLEU(force=True).corpus_score(hypotheses, streams)
    return {
        "texts": numbers,
        "printed": str(printed).removeprefix("BLEU = "),
        "bleu": {name: BLEU(**options).corpus_score(hypotheses, streams).score for name, options in BLEUS.items()},
        "chrf": {name: CHRF(**options).corpus_score(hypotheses, streams).score for name, options in CHRFS.items()},
    }


def words():
    """Words for the stemmer: all its endings behind stems of every kind, irregular ones, and what is no word."""
    stems = "a by sk tr cr ho be oat ivy tie fly troubl private oper fil hopp fall fizz agre gen yy syzyg conflat toy control x9 box".split()
    endings = "s ss sses ies ied eed ed ing ated bled ized y ly ational tional enci anci izer bli abli alli entli eli ousli ization ation "
    endings += "ator alism iveness fulness ousness aliti iviti biliti fulli logi icate ative alize iciti ical ful ness al ance ence er ic able "
    endings += "ible ant ement ment ent ion sion tion ou ism ate iti ous ive ize e ll"
    draw = random.Random(1)
    found = [draw.choice(stems) + ending + draw.choice(["", "", "s", "ly"]) for ending in endings.split() for _ in range(5)]
    found += "skies dying lying tying news inning innings outings cannings howe proceed exceed succeed sky skis died dies tied spied flies".split()
    found += "enjoy spy say by theology geological hopefully radically ably using owed feed agreed yyyy 1990s 2nd a1s xyz o oed".split()
    return found


def classes():
    draw = random.Random(2)
    labels = [draw.randrange(4) for _ in range(60)]
    predictions = [label if draw.random() < 0.6 else draw.randrange(4) for label in labels]
    return {
        "labels": labels,
        "predictions": predictions,
        "accuracy": sklearn.metrics.accuracy_score(labels, predictions),
        "macro_f1": sklearn.metrics.f1_score(labels, predictions, average="macro"),
        "class_f1": sklearn.metrics.f1_score(labels, predictions, average=None).tolist(),
        "matthews": sklearn.metrics.matthews_corrcoef(labels, predictions),
    }


def calibration():
    draw = random.Random(3)
    probabilities = [round(draw.betavariate(4, 2), 3) for _ in range(80)] + [0.0, 0.1, 0.2, 0.3, 0.5, 0.5, 0.7, 1.0]
    right = [draw.random() < probability**1.5 for probability in probabilities]
    found = {"probabilities": probabilities, "right": right}
    found["brier"] = sklearn.metrics.brier_score_loss(right, probabilities)
    for strategy in ["uniform", "quantile"]:
        accuracy, confidence = sklearn.calibration.calibration_curve(right, probabilities, n_bins=10, strategy=strategy)
        found[strategy] = [[float(x), float(y)] for x, y in zip(confidence, accuracy)]
    return found


def paired():
    draw = random.Random(4)
    first = [round(draw.random(), 2) for _ in range(13)]
    second = [round(score + draw.gauss(0.1, 0.2), 2) if draw.random() < 0.8 else score for score in first]
    test = scipy.stats.permutation_test(
        (second, first), lambda x, y, axis: np.mean(x, axis) - np.mean(y, axis), permutation_type="samples", vectorized=True, n_resamples=np.inf
    )
    signs = [[heads, count, scipy.stats.binomtest(heads, count).pvalue] for heads, count in [(0, 0), (1, 1), (3, 12), (60, 90), (480, 1000)] if count]
    return {
        "first": first,
        "second": second,
        "p_value": test.pvalue,
        "signs": signs,
        "stderr": scipy.stats.sem(np.subtract(second, first)),
    }


def main():
    spec = importlib.util.spec_from_file_location("squad", sys.argv[1])
    squad = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(squad)
    out, texts, stems = pathlib.Path(__file__).with_name("metrics.json"), TEXTS, words()
    if len(sys.argv) > 2:
        out, draw = pathlib.Path(sys.argv[2]), random.Random(int(sys.argv[3]))
        texts = list(drawn_texts(int(sys.argv[3]), draw))
        corpora = [[draw.randrange(len(texts)) for _ in range(20)] for _ in range(20)]
        stems = {"".join(draw.choice("aeiouylsztdcbn") for _ in range(draw.randint(1, 6))) + draw.choice([*words(), ""]) for _ in range(20000)}
    else:
        lines = long_text(5, 12, 6)
        texts = [*texts, ("\n".join(lines), ["\n".join(changed(line, random.Random(place), lines[0].split()) for place, line in enumerate(lines))])]
        corpora = [*CORPORA, [len(TEXTS), 0, 13]]
    stemmer = PorterStemmer()
    figures = {
        "lines": [{"line": line} | {name: tokens(name, line) for name in ["13a", "intl", "zh"]} for line in LINES],
        "texts": [of_text(*text, squad) for text in texts],
        "corpora": [of_corpus(numbers, texts) for numbers in corpora],
        "stems": {word: stemmer.stem(word) for word in sorted(set(stems))},
        "classes": classes(),
        "calibration": calibration(),
        "paired": paired(),
    }
    out.write_text(json.dumps(figures, ensure_ascii=False, separators=(",", ":")).replace('},{"', '},\n{"') + "\n")


main()

#!/usr/bin/env bash
# resiliparse 2.0.1 drops letters when it extracts main content: nearly each text node that is a single character from U+0800
# to U+FFFF. Its manual says that `main_content=True` leaves out navigation, sidebars, footers, advertisements and what is
# invisible; a letter in bold is none of these. Chinese, Japanese, Korean, Thai and Hindi letters are all in that range, so
# that "not" in bold, "very important" with each letter in an element of its own, or the base text of ruby is gone; the
# sentence that is left reads well, and may say the opposite. Latin, Greek and Cyrillic letters lie below it, and stay.
# With `main_content=False` the text is whole.
#
# Concerns corpora that are extracted with it (DCLM is one), most of all in these scripts. Compare both modes on a sample of
# pages, or take another extractor there.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet Resiliparse==2.0.1 FastWARC==2.0.1

PYTHONUTF8=1 "$folder/venv/bin/python" - >"$folder/seen" <<'PYTHON'
from resiliparse.extract.html2text import extract_plain_text

SENTENCES = [
    "对于这个问题，我认为答案<b>不</b>是肯定的，因为还有很多别的原因需要考虑。",
    "这是<b>很</b><b>重</b><b>要</b>的事情，请大家一定要记住这一点并且告诉别人。",
    "この<ruby>漢<rt>かん</rt>字<rt>じ</rt></ruby>は難しいので、もう一度ゆっくり読んでください。",
    "이 약은 식사 후에 먹어야 하며 <b>안</b> 먹으면 효과가 전혀 없습니다.",
    "यह दवा खाने के बाद लें, <b>न</b> कि खाने से पहले, क्योंकि यह ज़रूरी है।",
    "Water is H<sub>₂</sub>O, and a bottle of it costs <b>€</b>5 in the shops of this town.",
    "Это лекарство принимают после еды, <b>а</b> не до неё, это очень важно.",
]
for sentence in SENTENCES:
    page = f"<!DOCTYPE html><title>T</title><body><main><article><p>{sentence}</p></article></main></body>"
    print("all: ", extract_plain_text(page, main_content=False))
    print("main:", extract_plain_text(page, main_content=True))
PYTHON

cat "$folder/seen"
diff - "$folder/seen" <<'EXPECTED' || { echo "resiliparse no longer does what is written here" >&2; exit 1; }
all:  对于这个问题，我认为答案不是肯定的，因为还有很多别的原因需要考虑。
main: 对于这个问题，我认为答案是肯定的，因为还有很多别的原因需要考虑。
all:  这是很重要的事情，请大家一定要记住这一点并且告诉别人。
main: 这是的事情，请大家一定要记住这一点并且告诉别人。
all:  この漢かん字じは難しいので、もう一度ゆっくり読んでください。
main: このかんは難しいので、もう一度ゆっくり読んでください。
all:  이 약은 식사 후에 먹어야 하며 안 먹으면 효과가 전혀 없습니다.
main: 이 약은 식사 후에 먹어야 하며 먹으면 효과가 전혀 없습니다.
all:  यह दवा खाने के बाद लें, न कि खाने से पहले, क्योंकि यह ज़रूरी है।
main: यह दवा खाने के बाद लें, कि खाने से पहले, क्योंकि यह ज़रूरी है।
all:  Water is H₂O, and a bottle of it costs €5 in the shops of this town.
main: Water is HO, and a bottle of it costs 5 in the shops of this town.
all:  Это лекарство принимают после еды, а не до неё, это очень важно.
main: Это лекарство принимают после еды, а не до неё, это очень важно.
EXPECTED

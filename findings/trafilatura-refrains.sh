#!/usr/bin/env bash
# trafilatura 2.3.1 leaves out a paragraph that is equal to the one before it, from 51 characters on, whatever `deduplicate`
# says. Its documentation has that option, by default off, for the removal of repeated segments, and names no other removal;
# none of the options below changes anything. Paragraphs of 50 characters stay, so that a short trial shows nothing.
#
# Concerns songs, prayers, poems, drills and logs: their texts are shorter than the pages without a trace, and measures of
# repetition on texts from trafilatura are too low. Do not take it as the truth for such pages.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet trafilatura==2.3.1 lxml==6.1.3 lxml_html_clean==0.4.6

"$folder/venv/bin/python" - >"$folder/seen" <<'PYTHON'
import trafilatura

REFRAIN = "And so we sing it once again until the morning comes"
PAGE = """<!DOCTYPE html><html><head><title>Song</title></head><body><article>
<p>The first verse of the song tells of a long night on the sea, and of the wind.</p>
<p>{0}</p>
<p>{0}</p>
<p>{0}</p>
<p>The second verse of the song tells of the harbour lights, and of the way home.</p>
</article></body></html>"""

for length in 50, 51:
    refrain = REFRAIN[:length]
    for options in {}, {"deduplicate": False}, {"favor_recall": True}, {"fast": True}:
        text = trafilatura.extract(PAGE.format(refrain), **options)
        print(f"{length} characters, {options}: {text.count(refrain)} of 3")
PYTHON

cat "$folder/seen"
diff - "$folder/seen" <<'EXPECTED' || { echo "trafilatura no longer does what is written here" >&2; exit 1; }
50 characters, {}: 3 of 3
50 characters, {'deduplicate': False}: 3 of 3
50 characters, {'favor_recall': True}: 3 of 3
50 characters, {'fast': True}: 3 of 3
51 characters, {}: 1 of 3
51 characters, {'deduplicate': False}: 1 of 3
51 characters, {'favor_recall': True}: 1 of 3
51 characters, {'fast': True}: 1 of 3
EXPECTED

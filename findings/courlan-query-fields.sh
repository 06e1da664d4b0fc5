#!/usr/bin/env bash
# courlan 1.4.0, by which trafilatura cleans links, gives different pages one address. It takes out query fields that track
# visitors, and knows many by how they begin, with no end: `ga` and `gl` (Google Analytics) take `game`, `gallery`,
# `galaxy` and `glossary` along, `ref` takes `reference`, `medium` takes `mediums`. And it decodes each query as UTF-8,
# where browsers write a form's query in the encoding of its page: each letter of a Russian word from a site in
# windows-1251 becomes U+FFFD, so that all words of one length are one address. Its README promises no more than basic
# normalisation and removal of trackers.
#
# Concerns crawls, and removal of duplicates by addresses from `normalize_url`, `clean_url`, `check_url`, `extract_links` or
# `UrlStore`: of a whole gallery one page is left. Compare addresses as they came, or with a normaliser that keeps fields.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet courlan==1.4.0

"$folder/venv/bin/python" - >"$folder/seen" <<'PYTHON'
from urllib.parse import quote

from courlan import extract_links, normalize_url

for field in "page", "game", "gallery", "galaxy", "glossary", "reference", "mediums", "utm_source":
    print(f"?{field}=7 ->", normalize_url(f"http://example.org/show?{field}=7"))
for word in "мир", "дом":
    address = "http://example.org/find?q=" + quote(word.encode("windows-1251"))
    print(address, "->", normalize_url(address))
page = "".join(f'<a href="/show?game={name}">{name}</a>' for name in ("chess", "go", "draughts"))
print("links of a page with three:", extract_links(page, url="http://example.org/", external_bool=False))
PYTHON

cat "$folder/seen"
diff - "$folder/seen" <<'EXPECTED' || { echo "courlan no longer does what is written here" >&2; exit 1; }
?page=7 -> http://example.org/show?page=7
?game=7 -> http://example.org/show
?gallery=7 -> http://example.org/show
?galaxy=7 -> http://example.org/show
?glossary=7 -> http://example.org/show
?reference=7 -> http://example.org/show
?mediums=7 -> http://example.org/show
?utm_source=7 -> http://example.org/show
http://example.org/find?q=%EC%E8%F0 -> http://example.org/find?q=%EF%BF%BD%EF%BF%BD%EF%BF%BD
http://example.org/find?q=%E4%EE%EC -> http://example.org/find?q=%EF%BF%BD%EF%BF%BD%EF%BF%BD
links of a page with three: {'http://example.org/show'}
EXPECTED

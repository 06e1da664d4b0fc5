#!/usr/bin/env bash
# resiliparse 2.0.1 calls Korean text in EUC-KR UTF-8. Its engine finds the encoding and names it cp949; by default
# (`html5_compatible=True`), `detect_encoding` then maps the name as WHATWG's Encoding Standard does. There the encoding is
# EUC-KR, with labels such as windows-949 and ks_c_5601-1987, and no label cp949; a name without a label becomes UTF-8. The
# manual has UTF-8 as what is returned where nothing was detected, and here something was. No letter survives decoding.
#
# Concerns older Korean pages whose header and `meta` name no encoding, wherever this function decides. Ask with
# `html5_compatible=False`, or take "utf-8" for unknown where the bytes are not valid UTF-8.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet Resiliparse==2.0.1 FastWARC==2.0.1

PYTHONUTF8=1 "$folder/venv/bin/python" - >"$folder/seen" <<'PYTHON'
from resiliparse.parse.encoding import detect_encoding, map_encoding_to_html5

text = "대한민국의 수도는 서울이며 인구는 약 천만 명이다. 한강이 도시를 가로질러 흐르고 있으며 많은 다리가 놓여 있다. " * 20
data = text.encode("euc-kr")
print("detected:", detect_encoding(data, html5_compatible=False))
print("mapped:", detect_encoding(data))
for name in "cp949", "windows-949", "euc-kr":
    print("map", name, "->", map_encoding_to_html5(name))
decoded = data.decode(detect_encoding(data), "replace")
print("letters that come back:", sum("가" <= letter <= "힣" for letter in decoded), "of", sum("가" <= letter <= "힣" for letter in text))
japanese = "東京は日本の首都であり、世界でも最大の都市の一つである。多くの人々がここで暮らしている。" * 20
print("Japanese, for comparison:", detect_encoding(japanese.encode("euc-jp")))
PYTHON

cat "$folder/seen"
diff - "$folder/seen" <<'EXPECTED' || { echo "resiliparse no longer does what is written here" >&2; exit 1; }
detected: cp949
mapped: utf-8
map cp949 -> utf-8
map windows-949 -> euc_kr
map euc-kr -> euc_kr
letters that come back: 0 of 920
Japanese, for comparison: euc_jp
EXPECTED

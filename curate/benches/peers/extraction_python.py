"""Times Python's extractors on the pages of an archive, one core each, and counts what they get right.

    python extraction_python.py PAGES.warc.gz [GOLD.json]

Prints pages and MB of HTML a second for trafilatura and resiliparse, and with GOLD, {url: {"with": [..], "without": [..]}},
precision, recall and F1 over the texts that must be in the extraction and must not. `benches/extraction.rs` counts the same.

Takes trafilatura, resiliparse, warcio.
"""

import json
import sys
import time

import trafilatura
import warcio
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.encoding import bytes_to_str, detect_encoding


def by_trafilatura(page):
    return trafilatura.extract(page, include_comments=False)


def by_resiliparse(page):
    return extract_plain_text(bytes_to_str(page, detect_encoding(page)), main_content=True)


def responses(path):
    with open(path, "rb") as file:
        for record in warcio.ArchiveIterator(file):
            if record.rec_type == "response":
                yield record.rec_headers.get_header("WARC-Target-URI"), record.content_stream().read()


def main():
    pages = list(responses(sys.argv[1]))
    gold = json.load(open(sys.argv[2])) if len(sys.argv) > 2 else {}
    megabytes = sum(len(page) for _, page in pages) / 1e6
    for extract in [by_trafilatura, by_resiliparse]:
        start = time.time()
        texts = [extract(page) or "" for _, page in pages]
        took = time.time() - start
        line = f"{extract.__name__}: {len(pages)} pages, {len(pages) / took:.0f} pages/s, {megabytes / took:.1f} MB/s"
        judged = [(gold[url], text) for (url, _), text in zip(pages, texts) if url in gold]
        found = sum(wanted in text for of_page, text in judged for wanted in of_page["with"])
        wrong = sum(unwanted in text for of_page, text in judged for unwanted in of_page["without"])
        wanted = sum(len(of_page["with"]) for of_page, _ in judged)
        if found:
            precision, recall = found / (found + wrong), found / wanted
            f1 = 2 * precision * recall / (precision + recall)
            line += f"; precision {precision:.3f} recall {recall:.3f} F1 {f1:.4f}"
        print(line, flush=True)


main()

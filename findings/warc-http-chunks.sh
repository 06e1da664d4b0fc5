#!/usr/bin/env bash
# Three forms of HTTP's chunked coding that RFC 9112 allows, in a WARC file, where a body stands as it came over the wire:
# a trailer section behind the last chunk (7.1.2), an extension behind a chunk's size (7.1.1), and the coding's name in
# capitals (7: names are case-insensitive). warcio 1.8.1 takes the trailer for text, less its first two bytes, and with it
# the line of the last chunk; where the name is not `chunked` to the letter, all sizes of chunks stay in the text. FastWARC
# 2.0.1 reads the capital, and ends at trailers and extensions with an error, so that `read()` gives nothing of the body.
#
# Concerns archives that keep bodies as they came, as wget's do, and text extracted from them: lines such as "1f40" or
# "Server-Timing: ..." in it are a sign. Read the raw body there, and join the chunks as the RFC has it.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet FastWARC==2.0.1 warcio==1.8.1

"$folder/venv/bin/python" - >"$folder/seen" <<'PYTHON'
import io

import fastwarc.warc
import warcio.archiveiterator

FORMS = {
    "plain": ("chunked", b"a\r\n<p>one</p>\r\na\r\n<p>two</p>\r\n0\r\n\r\n"),
    "trailer": ("chunked", b"a\r\n<p>one</p>\r\na\r\n<p>two</p>\r\n0\r\nServer-Timing: total;dur=5\r\n\r\n"),
    "extension": ("chunked", b"a;name=value\r\n<p>one</p>\r\na\r\n<p>two</p>\r\n0\r\n\r\n"),
    "capital": ("Chunked", b"a\r\n<p>one</p>\r\na\r\n<p>two</p>\r\n0\r\n\r\n"),
}


def archive(coding, body):
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: {coding}\r\n\r\n".encode()
    return b"""WARC/1.1\r
WARC-Type: response\r
WARC-Target-URI: http://example.org/\r
WARC-Date: 2020-01-01T00:00:00Z\r
WARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-000000000001>\r
Content-Type: application/http; msgtype=response\r
Content-Length: %d\r\n\r\n%b\r\n\r\n""" % (len(head + body), head + body)


for form, (coding, body) in FORMS.items():
    data = archive(coding, body)
    [record] = [r.content_stream().read() for r in warcio.archiveiterator.ArchiveIterator(io.BytesIO(data))]
    print(f"{form}: warcio  ", record)
    try:
        [record] = [r.reader.read() for r in fastwarc.warc.ArchiveIterator(io.BytesIO(data), auto_decode="all")]
        print(f"{form}: FastWARC", record)
    except OSError as error:
        print(f"{form}: FastWARC", error)
PYTHON

cat "$folder/seen"
diff - "$folder/seen" <<'EXPECTED' || { echo "FastWARC or warcio no longer does what is written here" >&2; exit 1; }
plain: warcio   b'<p>one</p><p>two</p>'
plain: FastWARC b'<p>one</p><p>two</p>'
trailer: warcio   b'<p>one</p><p>two</p>0\r\nrver-Timing: total;dur=5\r\n\r\n'
trailer: FastWARC Invalid chunk header: 'rver-Timing: total;dur=5'
extension: warcio   b'<p>one</p><p>two</p>'
extension: FastWARC Invalid chunk header: 'a;name=value'
capital: warcio   b'a\r\n<p>one</p>\r\na\r\n<p>two</p>\r\n0\r\n\r\n'
capital: FastWARC b'<p>one</p><p>two</p>'
EXPECTED

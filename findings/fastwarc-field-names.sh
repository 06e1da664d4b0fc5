#!/usr/bin/env bash
# FastWARC 2.0.1 knows three field names of WARC in one spelling only, where WARC 1.1 (section 4) says that field names are
# case-insensitive. A record with `Warc-Type` or `warc-type` has no type: a program that asks for responses, as nearly all do,
# gets none of them and no error, as if the file had none. With `content-type` the head of the HTTP answer becomes part of
# the body; with `content-length` reading stops with an error. Other names are found in any case. warcio 1.8.1 reads all
# of these files alike.
#
# Concerns archives of writers with another spelling, such as those that write all names in lower case. Ask for all
# records, and for the type in `record.headers`, which finds it; count the records without a type.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet FastWARC==2.0.1 warcio==1.8.1

"$folder/venv/bin/python" - >"$folder/seen" <<'PYTHON'
import io
import re

import fastwarc.warc
import warcio.archiveiterator

BLOCK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>one</p>"
RECORD = b"""WARC/1.1\r
WARC-Type: response\r
WARC-Target-URI: http://example.org/\r
WARC-Date: 2020-01-01T00:00:00Z\r
WARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-000000000001>\r
Content-Type: application/http; msgtype=response\r
Content-Length: %d\r\n\r\n%b\r\n\r\n""" % (len(BLOCK), BLOCK)


def of_fastwarc(data, **options):
    try:
        return [record.reader.read() for record in fastwarc.warc.ArchiveIterator(io.BytesIO(data), **options)]
    except OSError as error:
        return str(error)


def of_warcio(data):
    records = warcio.archiveiterator.ArchiveIterator(io.BytesIO(data))
    return [record.content_stream().read() for record in records if record.rec_type == "response"]


RESPONSES = fastwarc.warc.WarcRecordType.response
for spelling in b"WARC-Type", b"Warc-Type", b"content-type", b"content-length", b"warc-target-uri":
    data = re.sub(b"^%b:" % spelling, spelling + b":", RECORD, count=1, flags=re.IGNORECASE | re.MULTILINE)
    print(spelling.decode())
    print("  FastWARC, all records:", of_fastwarc(data))
    print("  FastWARC, responses:  ", of_fastwarc(data, record_types=RESPONSES))
    print("  warcio, responses:    ", of_warcio(data))

data = RECORD.replace(b"WARC-Type", b"Warc-Type")
[record] = fastwarc.warc.ArchiveIterator(io.BytesIO(data))
print("Warc-Type:", record.record_type, "but", record.headers.get("WARC-Type"))
PYTHON

cat "$folder/seen"
diff - "$folder/seen" <<'EXPECTED' || { echo "FastWARC or warcio no longer does what is written here" >&2; exit 1; }
WARC-Type
  FastWARC, all records: [b'<p>one</p>']
  FastWARC, responses:   [b'<p>one</p>']
  warcio, responses:     [b'<p>one</p>']
Warc-Type
  FastWARC, all records: [b'<p>one</p>']
  FastWARC, responses:   []
  warcio, responses:     [b'<p>one</p>']
content-type
  FastWARC, all records: [b'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>one</p>']
  FastWARC, responses:   [b'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>one</p>']
  warcio, responses:     [b'<p>one</p>']
content-length
  FastWARC, all records: Invalid WARC header
  FastWARC, responses:   Invalid WARC header
  warcio, responses:     [b'<p>one</p>']
warc-target-uri
  FastWARC, all records: [b'<p>one</p>']
  FastWARC, responses:   [b'<p>one</p>']
  warcio, responses:     [b'<p>one</p>']
Warc-Type: unknown but response
EXPECTED

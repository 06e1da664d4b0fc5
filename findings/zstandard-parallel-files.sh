#!/usr/bin/env bash
# The Python package zstandard 0.25.0 reads nothing from a file of pzstd by `read_to_iter`, and says nothing. Zstandard data is
# one frame after the other, and skippable frames among them are passed over (RFC 8878, 3.1 and 3.1.2). pzstd, which comes
# with zstd, writes a skippable frame with the packed size before each frame. `read_to_iter` ends with the first frame of
# either kind, with no error. `stream_reader`, read until it gives nothing, and `copy_stream` read the whole file; that
# `decompress` gives the first frame is documented, and before it a skippable one is an error.
#
# Concerns JSON lines and dumps in .zst that others packed in parallel, joined with `cat`, or marked with a frame of their own.
# Read them with `stream_reader`, and compare counts with those of `zstd -dc`.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet zstandard==0.25.0

"$folder/venv/bin/python" - >"$folder/seen" <<'PYTHON'
import io
import struct

import zstandard


def frame(text):
    return zstandard.ZstdCompressor().compress(text)


def pzstd(*texts):
    """As pzstd writes them: before each frame one of magic 0x184D2A50 whose four bytes are the size of what follows."""
    return b"".join(struct.pack("<III", 0x184D2A50, 4, len(frame(text))) + frame(text) for text in texts)


def of_stream_reader(data):
    reader = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data))
    return b"".join(iter(lambda: reader.read(8192), b""))


def of_copy_stream(data):
    output = io.BytesIO()
    zstandard.ZstdDecompressor().copy_stream(io.BytesIO(data), output)
    return output.getvalue()


def of_decompress(data):
    try:
        return zstandard.ZstdDecompressor().decompress(data)
    except zstandard.ZstdError as error:
        return error


def of_read_to_iter(data):
    return b"".join(zstandard.ZstdDecompressor().read_to_iter(io.BytesIO(data)))


for name, data in ("cat", frame(b"one\n") + frame(b"two\n")), ("pzstd", pzstd(b"one\n", b"two\n")):
    for read in of_stream_reader, of_copy_stream, of_decompress, of_read_to_iter:
        print(f"{name}: {read.__name__[3:]}:", read(data))
PYTHON

cat "$folder/seen"
diff - "$folder/seen" <<'EXPECTED' || { echo "zstandard no longer does what is written here" >&2; exit 1; }
cat: stream_reader: b'one\ntwo\n'
cat: copy_stream: b'one\ntwo\n'
cat: decompress: b'one\n'
cat: read_to_iter: b'one\n'
pzstd: stream_reader: b'one\ntwo\n'
pzstd: copy_stream: b'one\ntwo\n'
pzstd: decompress: decompression error: decompressed 0 bytes; expected 4
pzstd: read_to_iter: b''
EXPECTED

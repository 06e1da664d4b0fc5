#!/usr/bin/env bash
# pyarrow 26.0.1 reads a column of integers from JSON lines as doubles once one of them is 2^63 or more, and rounds them all.
# Its manual says that numbers become int64, and float64 if one is met that is no integer; these are all integers, and fit
# uint64. 64-bit hashes, the usual ids of documents and clusters, reach 2^63 in half of all cases, so that nearly each file
# has one: ids lose their last three digits, and some that differ become equal. polars 2.1.0 reads the file exactly.
#
# Concerns ids and hashes that travel as JSON numbers, and joins and removals by them. Give `explicit_schema`, as below, or
# write ids as strings.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pyarrow==26.0.1 polars==2.1.0

"$folder/venv/bin/python" - "$folder/ids.jsonl" >"$folder/seen" <<'PYTHON'
import sys

import polars
import pyarrow
import pyarrow.json

path = sys.argv[1]
IDS = [1234567890123456789, 1234567890123456790, 2**63 - 1]


def write(ids):
    with open(path, "w") as file:
        file.writelines(f'{{"id":{id}}}\n' for id in ids)


def show(name, column):
    values = [int(value) for value in column.to_pylist()]
    print(f"{name}: {column.type}, {len(set(values))} ids: {values}")


write(IDS)
show("below 2^63", pyarrow.json.read_json(path)["id"])
write([*IDS, 2**63])
show("one of 2^63", pyarrow.json.read_json(path)["id"])
schema = pyarrow.schema([("id", pyarrow.uint64())])
options = pyarrow.json.ParseOptions(explicit_schema=schema)
show("with a schema", pyarrow.json.read_json(path, parse_options=options)["id"])
print("polars:", polars.read_ndjson(path)["id"].to_list())
PYTHON

cat "$folder/seen"
diff - "$folder/seen" <<'EXPECTED' || { echo "pyarrow or polars no longer does what is written here" >&2; exit 1; }
below 2^63: int64, 3 ids: [1234567890123456789, 1234567890123456790, 9223372036854775807]
one of 2^63: double, 2 ids: [1234567890123456768, 1234567890123456768, 9223372036854775808, 9223372036854775808]
with a schema: uint64, 4 ids: [1234567890123456789, 1234567890123456790, 9223372036854775807, 9223372036854775808]
polars: [1234567890123456789, 1234567890123456790, 9223372036854775807, 9223372036854775808]
EXPECTED

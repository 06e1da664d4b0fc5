#!/usr/bin/env bash
# DataFusion 55.0.0 spills a sort of 22 MB to disk under a limit of 1 GB, where its input is one table that is handed on in slices, as
# `Table.to_batches(max_chunksize)` hands tables on. A slice is no copy: it has the buffers of the whole, and a sort counts those in full
# for each of them, a hundred times for a hundred slices (`get_record_batch_memory_size`; apache/datafusion#12136 and #10073 are about what
# is counted). Under tighter limits it fails with "Not enough memory to continue external sort". Copied slices of the same rows are sorted in
# memory.
#
# Concerns sorts and joins under a memory limit whose batches are slices: of tables in memory, of a batch that was cut to `batch_size`, of
# string views out of one dictionary page. Copy what is sliced (`take`, or `gc` for views) before it goes into such a plan.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check datafusion==55.0.0 pyarrow==26.0.1
cat >"$folder/run.py" <<'PYTHON'
import re
import sys

import datafusion
import pyarrow as pa
from datafusion import RuntimeEnvBuilder, SessionConfig, SessionContext

ROWS, STEP, LIMIT = 200_000, 2000, 1 << 30
order = [place * 7919 % ROWS for place in range(ROWS)]
strings = [str(number).rjust(100, "x") for number in order]


def spills(kind, copied):
    """How often a sort spills, and how large the whole array is."""
    numbers, whole = pa.array(order), pa.array(strings, type=kind)
    batches = []
    for begin in range(0, ROWS, STEP):
        part = pa.array(strings[begin : begin + STEP], type=kind) if copied else whole[begin : begin + STEP]
        batches.append(pa.record_batch([numbers[begin : begin + STEP], part], names=["number", "string"]))
    runtime = RuntimeEnvBuilder().with_fair_spill_pool(LIMIT).with_disk_manager_os()
    context = SessionContext(SessionConfig().with_target_partitions(1).with_batch_size(STEP), runtime)
    context.register_record_batches("rows", [batches])
    plan = context.sql("explain analyze select string, number from rows order by number").to_pydict()["plan"][0]
    (metrics,) = re.findall(r"SortExec.*?metrics=\[(.*?)\]", plan)
    return int(re.search(r"spill_count=(\d+)", metrics)[1]), whole.nbytes


print("datafusion", datafusion.__version__)
wrong = False
for kind in (pa.string(), pa.string_view()):
    for copied in (False, True):
        count, size = spills(kind, copied)
        print(f"{kind}, {'copies' if copied else 'slices'}: {size / 1e6:.0f} MB spill {count} times under {LIMIT / 1e6:.0f} MB")
        wrong |= (count == 0) != copied
sys.exit(wrong)
PYTHON
"$folder/venv/bin/python" "$folder/run.py"
# datafusion 55.0.0
# string, slices: 21 MB spill 2 times under 1074 MB
# string, copies: 21 MB spill 0 times under 1074 MB
# string_view, slices: 23 MB spill 5 times under 1074 MB
# string_view, copies: 23 MB spill 0 times under 1074 MB

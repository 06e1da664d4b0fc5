#!/usr/bin/env bash
# DataFusion 55.0.0 runs a physical plan over files once: executed again, the same plan gives no rows, and no error. Since release 54 the
# partitions of a scan take files from a queue that they share, and the queue belongs to the plan (apache/datafusion#21351): what the first
# execution has taken, the second no longer finds. A plan over rows in memory gives its rows as often as it is asked, so that a test of such
# a plan does not show it. For the same reason the first partition, run by itself, reads the files of all, which the option
# `datafusion.execution.enable_file_stream_work_stealing` was made for (#23293); with that at `false` a plan runs again, too.
#
# Concerns whoever keeps an `ExecutionPlan` to run it twice: to retry, to count before reading, for each side of a join, or to measure. Build
# it anew from the logical plan, pass it through `reset_plan_states`, or turn the option off.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check datafusion==55.0.0 pyarrow==26.0.1
cat >"$folder/run.py" <<'PYTHON'
import sys

import datafusion
import pyarrow as pa
import pyarrow.parquet as pq
from datafusion import SessionConfig, SessionContext

OPTION = "datafusion.execution.enable_file_stream_work_stealing"
folder = sys.argv[1]
for part in range(4):
    pq.write_table(pa.table({"x": range(part * 1000, part * 1000 + 1000)}), f"{folder}/{part}.parquet")


def rows(read, option, runs=3):
    """How many rows each partition of one plan gives, run after run."""
    config = SessionConfig().with_target_partitions(2).set(OPTION, option)
    context = SessionContext(config)
    plan = read(context).execution_plan()
    return [
        [sum(batch.to_pyarrow().num_rows for batch in context.execute(plan, partition)) for partition in range(plan.partition_count)]
        for _ in range(runs)
    ]


files = lambda context: context.read_parquet(folder)
memory = lambda context: context.from_arrow(pa.table({"x": range(4000)}))
found = {
    "files": rows(files, "true"),
    "files, each partition its own": rows(files, "false"),
    "rows in memory": rows(memory, "true"),
}
print("datafusion", datafusion.__version__)
for what, counts in found.items():
    print(f"{what}: {counts}")
expected = {
    "files": [[4000, 0], [0, 0], [0, 0]],
    "files, each partition its own": [[2000, 2000]] * 3,
    "rows in memory": [[4000]] * 3,
}
sys.exit(found != expected)
PYTHON
"$folder/venv/bin/python" "$folder/run.py" "$folder"
# datafusion 55.0.0
# files: [[4000, 0], [0, 0], [0, 0]]
# files, each partition its own: [[2000, 2000], [2000, 2000], [2000, 2000]]
# rows in memory: [[4000], [4000], [4000]]

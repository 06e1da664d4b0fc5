"""Opens every mixture of some runs as strangers would, by `datasets` and by DuckDB, and holds what they find against the ledger.

    python .ci/open_mixtures.py RUN...

Needs `datasets` and `duckdb`. No word is said to either about formats, splits or columns.
"""

import json
import logging
import sys
import tempfile
from collections import Counter
from pathlib import Path

import datasets
import duckdb

TEXT = ["id", "source", "text"]
EXAMPLES = ["id", "source", "task", "template"]
FORMS = [
    TEXT,
    EXAMPLES + ["prompt", "completion"],
    EXAMPLES + ["prompt", "chosen", "rejected"],
    EXAMPLES + ["query", "positive", "negatives"],
    EXAMPLES + ["sequences", "label"],
]
LISTS = {"negatives", "sequences"}


def kind(column):
    if column in LISTS:
        return "VARCHAR[]"
    return "BIGINT" if column == "label" else "VARCHAR"


def check(folder, expected, cache):
    opened = datasets.load_dataset(str(folder), cache_dir=cache)
    assert set(opened) == set(expected), (folder, set(opened), set(expected))
    ids = {}
    for split, rows in expected.items():
        columns = opened[split].column_names
        assert columns in FORMS, (folder, columns)
        assert opened[split].num_rows == sum(rows.values()), (folder, split, opened[split].num_rows, rows)
        files = str(folder / f"{split}-*.parquet")
        described = duckdb.sql(f"describe from '{files}'").fetchall()
        found = {name: type_ for name, type_, *_ in described}
        assert found == {column: kind(column) for column in columns}, (folder, found)
        counted = duckdb.sql(f"select source, count(*) from '{files}' group by source").fetchall()
        assert dict(counted) == rows, (folder, split, counted, rows)
        assert Counter(opened[split]["source"]) == Counter(rows), (folder, split)
        ids[split] = set(opened[split]["id"])
    for split, own in ids.items():
        for other, others in ids.items():
            assert split == other or not own & others, (folder, split, other, "share an id")
    return {split: sum(rows.values()) for split, rows in expected.items()}


class Complaints(logging.Handler):
    """Whatever the library has to complain of is a fault of the files."""

    def emit(self, record):
        raise AssertionError(record.getMessage())


def main():
    logging.getLogger("datasets").addHandler(Complaints(level=logging.WARNING))
    for run in map(Path, sys.argv[1:]):
        ledger = json.loads((run / "ledger.json").read_text())
        expected = {}
        for entry in ledger["mixtures"]:
            expected.setdefault(entry["mixture"], {}).setdefault(entry["split"], {})[entry["source"]] = entry["rows"]
        assert expected, f"{run} has no mixture"
        with tempfile.TemporaryDirectory() as cache:
            for name, splits in expected.items():
                rows = check(run / "mixtures" / name, splits, cache)
                print(f"{run.name}/{name}: {rows} rows in datasets {datasets.__version__} and DuckDB {duckdb.__version__}")


if __name__ == "__main__":
    datasets.disable_progress_bars()
    main()

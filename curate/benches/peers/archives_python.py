"""Times warcio and FastWARC (one process each) over the records of WARC files, to the end of every block.

    python archives_python.py FILE...

Prints, for each file and reader, records, MB of blocks, and the median of three readings in MB a second.
"""

import sys
import time

from fastwarc.warc import ArchiveIterator as FastIterator
from warcio.archiveiterator import ArchiveIterator


def with_warcio(path):
    with open(path, "rb") as file:
        for record in ArchiveIterator(file, no_record_parse=True):
            yield len(record.raw_stream.read())


def with_fastwarc(path):
    with open(path, "rb") as file:
        for record in FastIterator(file, parse_http=False):
            yield len(record.reader.read())


for path in sys.argv[1:]:
    for name, read in {"warcio": with_warcio, "fastwarc": with_fastwarc}.items():
        times = []
        for _ in range(3):
            start = time.time()
            sizes = list(read(path))
            times.append(time.time() - start)
        megabytes = sum(sizes) / 1e6
        print(f"{path} {name}: {len(sizes)} records, {megabytes:.1f} MB, {megabytes / sorted(times)[1]:.0f} MB/s")

#!/usr/bin/env python3
"""Rows of a column of float32 vectors: one at random, a thousand at random. Through the mount (numpy.memmap, which the
kernel serves from the column's own file), through the engine (the program bench/vectors), and beside numpy.memmap of a
plain file, Lance and Vortex where they are installed."""
import pathlib
import subprocess
import sys

import numpy

from support.mounted import Mounted, arguments
from support.report import Report, seconds, timed

WIDTH = 384


def plain_and_own(m, rows):
    """The same .npy on the disk and in the mount, written in blocks."""
    block = numpy.random.default_rng(1).standard_normal((10_000, WIDTH)).astype(numpy.float32)
    plain = numpy.lib.format.open_memmap(m.plain / "v.npy", mode="w+", dtype=numpy.float32, shape=(rows, WIDTH))
    for first in range(0, rows, len(block)):
        plain[first:first + len(block)] = block[:rows - first]
        plain[first, 0] = first  # no two blocks are the same
    plain.flush()
    (m.mnt / "d").mkdir()
    subprocess.run(["cp", m.plain / "v.npy", m.mnt / "d/v.npy"], check=True)
    return numpy.load(m.plain / "v.npy", mmap_mode="r"), numpy.load(m.mnt / "d/v.npy", mmap_mode="r")


def lance_reader(m, plain):
    import lance
    import pyarrow
    vectors = pyarrow.FixedSizeListArray.from_arrays(numpy.asarray(plain).reshape(-1), WIDTH)
    lance.write_dataset(pyarrow.table({"v": vectors}), str(m.folder / "v.lance"))
    dataset = lance.dataset(str(m.folder / "v.lance"))
    return lambda rows: dataset.take(rows.tolist())["v"].combine_chunks().values.to_numpy().reshape(-1, WIDTH)


def vortex_reader(m, plain):
    import pyarrow
    import vortex
    vectors = pyarrow.FixedSizeListArray.from_arrays(numpy.asarray(plain).reshape(-1), WIDTH)
    path = str(m.folder / "v.vortex")
    vortex.io.write(pyarrow.table({"v": vectors}), path)
    file = vortex.open(path)
    return lambda rows: file.scan(indices=vortex.array(rows.tolist())).read_all()


def main():
    options = arguments(__doc__, rows=1_000_000, reads=300)
    random = numpy.random.default_rng(2)
    with Mounted(options) as m, Report(f"{options.rows:,} rows of {WIDTH} float32, warm page cache: rows at random") as report:
        plain, own = plain_and_own(m, options.rows)
        float(plain.sum()), float(own.sum())  # every page is in the cache
        readers = {"plain": lambda rows: plain[rows], "mount": lambda rows: own[rows]}
        for name, make in (("Lance", lance_reader), ("Vortex", vortex_reader)):
            try:
                readers[name] = make(m, plain)
            except Exception as error:  # pylint: disable=broad-except
                print(f"{name}: {error}", file=sys.stderr)
        for count, goal in ((1, "<= 15 us"), (1_000, "<= 2 ms")):
            drawn = [numpy.sort(random.choice(options.rows, count, replace=False)) for _ in range(options.reads)]
            for name, read in list(readers.items()):
                try:
                    read(drawn[0])
                except Exception as error:  # pylint: disable=broad-except
                    print(f"{name}: {error}", file=sys.stderr)
                    del readers[name]
            found = {name: [] for name in readers}
            for rows in drawn:
                for name, read in readers.items():
                    found[name].append(timed(lambda r=read, w=rows: r(w)))
            median = {name: sorted(samples)[len(samples) // 2] for name, samples in found.items()}
            report.time(f"{count:,} by numpy.memmap of the mount", median["mount"], median["plain"], goal)
            for name in ("Lance", "Vortex"):
                if name in median:
                    report.add(f"{count:,} by {name}", seconds(median[name]), seconds(median["plain"]),
                               f"{median[name] / median['plain']:.2f}x")
        del own, readers["mount"]
        m.umount()
        engine = pathlib.Path(options.stela).parents[1] / "bench/vectors"
        if engine.exists():
            subprocess.run([engine, "--store", m.store, "--reads", str(options.reads)], check=True)


if __name__ == "__main__":
    main()

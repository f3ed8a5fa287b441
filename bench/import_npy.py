#!/usr/bin/env python3
"""A large .npy into a dataset, durable, by `stela import` (with and without a daemon) and by cp through the mount, against
dd with conv=fdatasync of the same file."""
import os
import shutil
import subprocess
import sys

import numpy

from support.mounted import Mounted, arguments, in_child, run_measured
from support.report import Report, seconds, size


def make_array(path, gigabytes):
    """float32 vectors of 768 in pieces; warm in the page cache afterwards."""
    rows = int(gigabytes * 1e9) // (768 * 4)
    block = numpy.random.default_rng(1).random((8192, 768), dtype=numpy.float32)
    out = numpy.lib.format.open_memmap(path, mode="w+", dtype=numpy.float32, shape=(rows, 768))
    for at in range(0, rows, len(block)):
        out[at:at + len(block)] = block[:rows - at]
    del out
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def main():
    options = arguments(__doc__, gigabytes=3.0, rounds=3)
    with Mounted(options) as m:
        source = m.plain / "v.npy"
        in_child(make_array, source, options.gigabytes)
        bytes_in = source.stat().st_size

        def dd():
            target = m.plain / "copy"
            elapsed, _ = run_measured(["dd", f"if={source}", f"of={target}", "bs=1M", "conv=fdatasync", "status=none"])
            target.unlink()
            return elapsed

        def by_cp(name):
            dataset = m.mnt / name
            dataset.mkdir()
            m.reset_peak()
            elapsed, _ = run_measured(["cp", source, dataset / "v.npy"])
            return elapsed, m.peak_memory()

        def by_daemon(name):
            m.reset_peak()
            elapsed, _ = run_measured([options.stela, "import", m.store, f"/{name}/v.npy", source])
            return elapsed, m.peak_memory()

        def by_program(name):
            store = m.folder / f"alone-{name}"
            elapsed, peak = run_measured([options.stela, "import", store, f"/{name}/v.npy", source])
            shutil.rmtree(store)
            return elapsed, peak

        ways = {"cp to the mount": by_cp, "stela import, mounted": by_daemon, "stela import, not mounted": by_program}
        results = {way: [] for way in ways}
        for number in range(options.rounds):
            for at, (way, work) in enumerate(ways.items()):
                subprocess.run(["sync"], check=True)
                plain = (dd() + dd()) / 2
                subprocess.run(["sync"], check=True)
                name = f"n{number}w{at}"
                elapsed, peak = work(name)
                results[way].append((elapsed / plain, elapsed, plain, peak))
                if (m.mnt / name).exists():
                    if number == 0:
                        subprocess.run(["cmp", source, m.mnt / name / "v.npy"], check=True)
                    (m.mnt / name / "v.npy").unlink()
        with Report(f"{size(bytes_in)} of .npy in, durable; median of {options.rounds} (plain: dd conv=fdatasync, the mean "
                    "of two just before)") as report:
            for way, found in results.items():
                ratio, elapsed, plain, peak = sorted(found)[len(found) // 2]
                report.add(way, seconds(elapsed), seconds(plain), f"{ratio:.2f}x", "<= 1.3x")
                report.add(f"{way}: peak memory", size(peak), goal="<= 268 MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Reads of a flat column through a mount, with passthrough and without, against the same .npy on the disk's filesystem;
attributes, listings, opens."""
import mmap
import os
import random
import shutil
import statistics
import subprocess
import sys

import numpy

from support.mounted import Mounted, arguments
from support.report import Report, medians, timed

BLOCK = 1 << 20
PAGE = 4096


def sequential(path):
    buffer = bytearray(BLOCK)
    with open(path, "rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def random_reads(path, count=20_000):
    size = os.path.getsize(path)
    offsets = random.Random(1)
    file = os.open(path, os.O_RDONLY)
    for _ in range(count):
        os.pread(file, PAGE, offsets.randrange(0, size - PAGE))
    os.close(file)


def mapped(path):
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ, flags=mmap.MAP_SHARED) as pages:
        # One byte of each page: what counts is the fault.
        numpy.frombuffer(pages, dtype=numpy.uint8)[::PAGE].sum()


def measure_column(report, m, label, goal):
    own, plain = m.mnt / "d/v.npy", m.plain / "v.npy"
    with open(own, "rb"):
        served = os.getxattr(own, "user.stela.served").decode()
    report.add(f"{label}: user.stela.served", served)
    size = os.path.getsize(own) / 1e9
    # Through the daemon the first read of a column fills the kernel's cache; each first one needs a new mount.
    report.speed(f"{label}: sequential, first", size / timed(lambda: sequential(own)),
                 size / timed(lambda: sequential(plain)), "GB/s")
    works = {"sequential": sequential, "4 KiB random": random_reads, "mmap": mapped}
    for name, work in works.items():
        found = medians(5, own=lambda w=work: w(own), plain=lambda w=work: w(plain))
        amount, unit = (0.02, "M/s") if name.startswith("4") else (size, "GB/s")
        report.speed(f"{label}: {name}, later", amount / found["own"], amount / found["plain"], unit, goal)


def measure_small_pages(report, m):
    """The same mapped reads beside a native file whose page cache is of 4 KiB units, as FUSE's is without passthrough."""
    folder = m.plain / "small"
    folder.mkdir()
    own, plain = m.mnt / "d/v.npy", folder / "v.npy"
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "huge=never", "none", folder], capture_output=True,
                      check=False).returncode != 0:
        report.add("without: mmap beside a tmpfs of 4 KiB pages", "needs root")
        return
    try:
        shutil.copyfile(m.plain / "v.npy", plain)
        found = medians(5, own=lambda: mapped(own), plain=lambda: mapped(plain))
        size = os.path.getsize(own) / 1e9
        report.speed("without: mmap beside a tmpfs of 4 KiB pages", size / found["own"], size / found["plain"], "GB/s")
    finally:
        subprocess.run(["umount", folder], check=True)


def measure_names(report, m):
    for columns in (1_000, 10_000):
        dataset = m.mnt / f"wide{columns}"
        dataset.mkdir()
        header = ",".join(f"c{i:05d}" for i in range(columns))
        row = ",".join("1" for _ in range(columns))
        with open(dataset / ".append/rows.csv", "w", encoding="ascii") as file:
            file.write(header + "\n" + row + "\n")
        plain = m.plain / f"wide{columns}"
        plain.mkdir()
        for i in range(columns):
            (plain / f"c{i:05d}.npy").write_bytes(bytes(136))
        found = medians(5, own=lambda d=dataset: os.listdir(d), plain=lambda d=plain: os.listdir(d))
        report.time(f"readdir of {columns:,} columns", found["own"], found["plain"])
        found = medians(5, own=lambda d=dataset: [e.stat() for e in os.scandir(d)],
                        plain=lambda d=plain: [e.stat() for e in os.scandir(d)])
        report.time(f"readdir and stat of {columns:,} columns (ls -l)", found["own"], found["plain"])
    names = [f"c{i:05d}.npy" for i in range(1_000)]

    def each(folder, work):
        return lambda: [work(folder / name) for name in names]

    def open_read_close(path):
        file = os.open(path, os.O_RDONLY)
        os.pread(file, 8, 128)
        os.close(file)

    own, plain = m.mnt / "wide1000", m.plain / "wide1000"
    first = timed(each(own, os.stat))
    found = medians(5, own=each(own, os.stat), plain=each(plain, os.stat))
    report.time("stat, first of each name", first / len(names), found["plain"] / len(names))
    report.time("stat, later", found["own"] / len(names), found["plain"] / len(names))
    found = medians(5, own=each(own, open_read_close), plain=each(plain, open_read_close))
    report.time("open + pread + close of a small column", found["own"] / len(names), found["plain"] / len(names))
    flat, copy = m.mnt / "d/v.npy", m.plain / "v.npy"
    own_time = statistics.median(timed(lambda: open_read_close(flat)) for _ in range(1000))
    plain_time = statistics.median(timed(lambda: open_read_close(copy)) for _ in range(1000))
    report.time("open + pread + close of a flat column", own_time, plain_time)


def main():
    options = arguments(__doc__, megabytes=1024)
    rows = options.megabytes * (1 << 20) // (256 * 4)
    with Mounted(options) as m:
        (m.mnt / "d").mkdir()
        array = numpy.random.default_rng(1).random((rows, 256), dtype=numpy.float32)
        numpy.save(m.plain / "v.npy", array)
        del array
        m.run("import", m.store, "/d/v.npy", m.plain / "v.npy")
        with Report(f"A flat column of {options.megabytes} MB, warm (plain: the same .npy beside the store)") as report:
            measure_column(report, m, "passthrough", ">= 0.95")
            m.umount()
            m.mount("passthrough=off")
            measure_column(report, m, "without", ">= 0.5")
            measure_small_pages(report, m)
        m.umount()
        m.mount()
        with Report("Names and attributes") as report:
            measure_names(report, m)
    return 0


if __name__ == "__main__":
    sys.exit(main())

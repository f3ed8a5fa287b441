#!/usr/bin/env python3
"""One-row appends through the mount, each open + write + close and durable when close returns, against a 4 KiB pwrite +
fdatasync into prepared blocks, SQLite (WAL, synchronous=FULL) and DuckDB in the same run."""
import os
import sqlite3
import statistics
import sys
import threading
import time

from support.mounted import Mounted, arguments
from support.peers import available, run_in_venv
from support.report import Report, size

ROUND = 50


class Prepared:
    """Blocks written with zeros and synced, then written again one by one."""

    def __init__(self, path, blocks=4096):
        self.file, self.blocks, self.next = os.open(path, os.O_RDWR | os.O_CREAT), blocks, 0
        os.write(self.file, bytes(4096 * blocks))
        os.fsync(self.file)

    def write(self):
        os.pwrite(self.file, b"x" * 4096, self.next % self.blocks * 4096)
        os.fdatasync(self.file)
        self.next += 1


def append(path, text):
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.write(file, text)
    os.close(file)


def measure(report, m, commits):
    (m.mnt / "log").mkdir()
    target = str(m.mnt / "log/.append/row.csv")
    peer = sqlite3.connect(m.plain / "peer.sqlite", isolation_level=None)
    peer.execute("PRAGMA journal_mode=WAL")
    peer.execute("PRAGMA synchronous=FULL")
    peer.execute("CREATE TABLE t(id INTEGER, v REAL)")
    duckdb_peer = None
    if available("duckdb"):
        import duckdb as duckdb_package
        duckdb_peer = duckdb_package.connect(str(m.plain / "peer.duckdb"))
        duckdb_peer.execute("CREATE TABLE t(id BIGINT, v DOUBLE)")
    prepared = Prepared(m.plain / "blocks")
    own, plain, sqlite, duckdb = [], [], [], []

    def timed(into, work):
        start = time.perf_counter()
        work()
        into.append(time.perf_counter() - start)

    for done in range(0, commits, ROUND):
        for i in range(done, done + ROUND):
            text = f"id,value\n{i},{i / 2}\n".encode()
            timed(own, lambda t=text: append(target, t))
        for i in range(ROUND):
            timed(plain, prepared.write)
        for i in range(done, done + ROUND):
            timed(sqlite, lambda i=i: peer.execute("INSERT INTO t VALUES(?, ?)", (i, i / 2)))
        for i in range(done, done + (ROUND // 10 if duckdb_peer else 0)):  # it takes several times as long
            timed(duckdb, lambda i=i: duckdb_peer.execute("INSERT INTO t VALUES (?, ?)", (i, i / 2)))
    median = statistics.median
    report.time("open, write, close: median", median(own), median(plain), "<= 4x")
    report.time("SQLite (WAL, synchronous=FULL), median", median(sqlite), median(plain))
    if duckdb:
        report.time("DuckDB, median", median(duckdb), median(plain))
    report.time("first 100", median(own[:100]), median(plain[:100]))
    report.time("last 100", median(own[-100:]), median(plain[-100:]), "no slower than the first")
    files = [entry for entry in m.store.rglob("*") if entry.is_file()]
    report.add("files and bytes left, store open",
               f"{len(files)}, {size(sum(entry.stat().st_size for entry in files))}", goal="< 50 files")
    report.add("memory of the daemon, peak", size(m.peak_memory()))


def measure_writers(report, m, commits):
    (m.mnt / "many").mkdir()
    alone = 0
    for writers in (1, 8):
        def work(writer, of=writers):
            for i in range(commits // of):
                append(m.mnt / f"many/.append/w{writer}.csv", f"id,value\n{i},1.5\n".encode())
        threads = [threading.Thread(target=work, args=(number,)) for number in range(writers)]
        start = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        rate = commits // writers * writers / (time.perf_counter() - start)
        alone = alone or rate
        report.add(f"{writers} writer{'s' if writers > 1 else ''} at once", f"{rate:,.0f} commits/s", "",
                   f"{rate / alone:.2f}x of one")


def main():
    run_in_venv("duckdb")
    options = arguments(__doc__, commits=5000)
    with Mounted(options) as m:
        with Report(f"{options.commits:,} one-row appends through the mount") as report:
            measure(report, m, options.commits)
            measure_writers(report, m, options.commits // 2)
    return 0


if __name__ == "__main__":
    sys.exit(main())

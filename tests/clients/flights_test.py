"""Every column of the flights, read through the mount, equals what pandas reads from the CSV, value by value."""
import importlib.util
import unittest

import mounted_samples
from mounted_samples import DATA, FLIGHTS

TEXTS = ("carrier", "tailnum", "origin", "dest")
TIMES = ("time_hour",)


def has(module):
    return importlib.util.find_spec(module) is not None


def setUpModule():
    for module in ("numpy", "pandas"):
        if not has(module):
            raise unittest.SkipTest(f"{module} is not installed (python3-{module})")
    global np, pd, expected, samples
    import numpy as np
    import pandas as pd

    if int(pd.__version__.split(".")[0]) >= 2:
        expected = pd.read_csv(FLIGHTS, parse_dates=[*TIMES], dtype_backend="numpy_nullable")
    else:  # Debian's; it makes integers with nulls floats unless it is told the types
        names = pd.read_csv(FLIGHTS, nrows=0).columns
        dtypes = {name: "string" if name in TEXTS else "Int64" for name in names if name not in TIMES}
        expected = pd.read_csv(FLIGHTS, parse_dates=[*TIMES], dtype=dtypes)
    samples = mounted_samples.MountedSamples()
    unittest.addModuleCleanup(samples.stop)


def nulls_of(column):
    return column.isna().to_numpy()


class FlightsTest(unittest.TestCase):
    def check_fixed_columns(self, dataset):
        for name in expected.columns.difference(TEXTS):
            with self.subTest(column=name):
                values = np.load(dataset / f"{name}.npy", mmap_mode="r")
                valid = np.load(dataset / f"{name}.valid.npy")
                column = expected[name]
                np.testing.assert_array_equal(valid, ~nulls_of(column))
                if name in TIMES:
                    wanted = column.dt.tz_convert(None).to_numpy()
                    self.assertEqual(values.dtype.kind, "M")
                else:
                    wanted = column.to_numpy(dtype=values.dtype, na_value=0)
                    self.assertEqual(values.dtype, np.int64)
                np.testing.assert_array_equal(values[valid], wanted[valid])

    def check_texts(self, dataset):
        for name in TEXTS:
            with self.subTest(column=name):
                lines = (dataset / f"{name}.txt").read_text("utf8").split("\n")
                self.assertEqual(lines.pop(), "")
                self.assertEqual([None if line == "\\N" else line for line in lines],
                                 [None if null else text for text, null in zip(expected[name], nulls_of(expected[name]))])

    def test_numpy_reads_what_the_program_imported(self):
        self.check_fixed_columns(samples.mnt / "flights")
        self.check_texts(samples.mnt / "flights")

    def test_numpy_reads_what_cp_appended(self):
        dataset = samples.mnt / "copied"
        dataset.mkdir()
        rows = FLIGHTS.read_text("utf8").splitlines()
        emptied = "".join(",".join("" if v == "NA" else v for v in row.split(",")) + "\n" for row in rows)
        (dataset / ".append" / "flights.csv").write_text(emptied, "utf8")
        self.check_fixed_columns(dataset)
        self.check_texts(dataset)

    def test_pandas_reads_the_table_view(self):
        table = pd.read_csv(samples.mnt / "flights/.table.csv", parse_dates=["time_hour"],
                            dtype=expected.dtypes.drop("time_hour").to_dict())
        pd.testing.assert_frame_equal(table, expected)

    def test_pyarrow_maps_every_column(self):
        if not has("pyarrow"):
            self.skipTest("needs PyPI: pyarrow")
        import pyarrow as pa

        for name in expected.columns:
            with self.subTest(column=name):
                table = pa.ipc.open_file(pa.memory_map(str(samples.mnt / "flights" / f"{name}.arrow"))).read_all()
                table.validate(full=True)
                self.assertEqual(table.column_names, [name])
                values = table.column(0).to_pylist()
                nulls = nulls_of(expected[name])
                self.assertEqual([value is None for value in values], nulls.tolist())
                self.assertEqual([v for v in values if v is not None], expected[name][~nulls].tolist())


class EmbeddingsTest(unittest.TestCase):
    def test_the_view_is_the_file_that_came_in(self):
        self.assertEqual((samples.mnt / "texts/embeddings.npy").read_bytes(), (DATA / "embeddings.npy").read_bytes())

    def test_numpy_maps_it(self):
        mapped = np.load(samples.mnt / "texts/embeddings.npy", mmap_mode="r")
        self.assertEqual((mapped.shape, mapped.dtype), ((400, 384), np.float32))
        np.testing.assert_array_equal(mapped, np.load(DATA / "embeddings.npy"))


class OtherReadersTest(unittest.TestCase):
    def test_polars_reads_arrow_and_csv(self):
        if not has("polars"):
            self.skipTest("needs PyPI: polars")
        import polars as pl

        for name in ("tailnum", "dep_delay", "time_hour"):
            frame = pl.read_ipc(samples.mnt / f"flights/{name}.arrow")
            self.assertEqual(frame.height, len(expected))
            self.assertEqual(frame[name].null_count(), int(nulls_of(expected[name]).sum()))
        airports = pl.read_csv(samples.mnt / "airports/.table.csv", infer_schema_length=None)
        self.assertEqual(airports["faa"].to_list(), pd.read_csv(DATA / "airports.csv")["faa"].tolist())

    def test_duckdb_queries_the_table_view(self):
        if not has("duckdb"):
            self.skipTest("needs PyPI: duckdb")
        import duckdb

        path = samples.mnt / "flights/.table.csv"
        found = duckdb.sql(f"select carrier, count(*), sum(arr_delay) from read_csv('{path}') group by 1").fetchall()
        groups = expected.groupby("carrier")
        self.assertEqual({row[0]: row[1] for row in found}, groups.size().to_dict())
        self.assertEqual({row[0]: row[2] for row in found}, groups["arr_delay"].sum().to_dict())


if __name__ == "__main__":
    unittest.main()

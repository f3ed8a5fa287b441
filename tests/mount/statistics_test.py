"""What is known of columns, at .stats.json and by `stela inspect`, against what Python counts and sums."""
import decimal
import fractions
import json
import math
import os
import tarfile
import unittest

import numpy

from mounted_store import SOURCE, MountCase

ROWS = 50_000


def exact(values):
    """The double next to the exact sum."""
    return float(sum(map(fractions.Fraction, map(float, values))))


class Statistics(MountCase):
    def stats(self, place="t"):
        told = json.loads((self.mnt / place / ".stats.json").read_text())
        return {column["name"]: column for column in told["columns"]}

    def fill(self, folder="t", rows=ROWS):
        random = numpy.random.default_rng(5)
        row = numpy.arange(rows)
        floats = random.normal(size=rows) * 10.0 ** random.integers(-12, 12, rows)
        wanted = {"row": row, "down": -(row // 3), "few": random.integers(0, 9, rows), "one": numpy.full(rows, 2**62),
                  "any": random.integers(-2**63, 2**63 - 1, rows), "float": floats, "single": floats.astype("f4"),
                  "zero": numpy.where(row % 2 == 0, 0.0, -0.0), "some": numpy.where(row % 5 == 0, numpy.nan, row / 7),
                  "endless": numpy.where(row == 77, numpy.inf, 1.0), "flag": row % 4 == 0,
                  "vector": numpy.ones((rows, 2)),
                  "word": numpy.array([f"word {n}" for n in random.integers(0, 500, rows)]),
                  "when": (row * 1000).astype("M8[ms]"), "long": (row % 100).astype("m8[s]")}
        (self.mnt / folder).mkdir()
        numpy.savez(self.mnt / folder / ".append/rows.npz", **wanted)
        return wanted

    def check_filled(self, stats, wanted):
        for name, order in (("row", "strictly ascending"), ("down", "descending"), ("few", None), ("one", "constant"),
                            ("zero", "constant"), ("some", None), ("when", "strictly ascending"), ("word", None),
                            ("vector", None)):
            self.assertEqual(stats[name]["order"], order, name)
        for name in ("row", "down", "few", "one", "any"):
            told = int(sum(map(int, wanted[name])))
            self.assertEqual(int(stats[name]["sum"]), told, name)
            self.assertEqual(isinstance(stats[name]["sum"], int), abs(told) < 2**63, name)
        for name in ("float", "single", "zero"):
            self.assertEqual(stats[name]["sum"], exact(wanted[name]), name)
        self.assertEqual(stats["some"]["sum"], exact(wanted["some"][~numpy.isnan(wanted["some"])]))
        self.assertTrue(stats["some"]["has_nan"])
        self.assertEqual(stats["some"]["nulls"], 0)
        self.assertEqual((stats["zero"]["min"], stats["zero"]["max"]), (0, 0))
        self.assertEqual(math.copysign(1, stats["zero"]["min"]), 1)
        self.assertEqual(stats["flag"]["sum"], ROWS // 4)
        self.assertEqual(stats["long"]["sum"], int(wanted["long"].astype(int).sum()))
        for name in ("endless", "word", "when", "vector"):
            self.assertIsNone(stats[name]["sum"], name)
        for name, values in wanted.items():
            told = stats[name]["distinct_estimate"]
            if name == "vector":
                self.assertIsNone(told)
                continue
            distinct = len(set(values[~numpy.isnan(values)].tolist() if values.dtype.kind == "f" else values.tolist()))
            if distinct <= 100:
                self.assertEqual(told, distinct, name)
            else:
                self.assertAlmostEqual(told / distinct, 1, delta=0.12, msg=name)

    def check_pages(self, name, values):
        (told,) = json.loads(self.stela("inspect", self.store, "/t/" + name, "--json").stdout)["columns"]
        rows = 0
        for piece in told["pieces"]:
            for page in piece["layout"]:
                part = values[page["first_row"]:page["first_row"] + page["rows"]]
                self.assertEqual((page["statistics"]["min"], page["statistics"]["max"], page["statistics"]["sum"]),
                                 (part.min(), part.max(), part.sum()), name)
                rows += page["rows"]
        self.assertEqual(rows, len(values), name)

    def test_of_every_type_whichever_way_rows_are_stored(self):
        wanted = self.fill()
        first = self.stats()
        self.check_filled(first, wanted)
        for column in json.loads(self.stela("inspect", self.store, "/t", "--json").stdout)["columns"]:
            for field, value in column["statistics"].items():
                self.assertEqual(value, first[column["name"]][field], column["name"])
        self.assertIn("strictly ascending", self.stela("inspect", self.store, "/t/row").stdout)
        self.check_pages("row", wanted["row"])
        self.check_pages("few", wanted["few"])
        self.stela("compact", self.store, "/t", "--cold")
        self.check_filled(self.stats(), wanted)
        self.umount()
        self.mount()
        self.check_filled(self.stats(), wanted)

    def test_of_rows_of_several_commits(self):
        wanted = self.fill()
        more = {name: values[:300] for name, values in wanted.items()}
        more["row"] = more["row"] + ROWS
        more["few"] = more["few"] + 100
        numpy.savez(self.mnt / "t/.append/more.npz", **more)
        stats = self.stats()
        self.assertEqual(stats["row"]["order"], "strictly ascending")
        self.assertEqual(stats["row"]["sum"], (ROWS + 300) * (ROWS + 299) // 2)
        self.assertIsNone(stats["down"]["order"])
        self.assertIsNone(stats["when"]["order"])
        self.assertEqual(stats["few"]["distinct_estimate"], 18)
        self.assertEqual(stats["float"]["sum"], exact(numpy.concatenate([wanted["float"], wanted["float"][:300]])))
        self.check_filled(self.stats("t/.versions/1"), wanted)

    def test_of_cells_that_are_changed_in_place_and_of_nulls(self):
        self.make_dataset("t", x=numpy.arange(30_000))
        rows = numpy.load(self.mnt / "t/x.npy", mmap_mode="r+")
        rows[20_000] = 5
        rows.flush()
        del rows
        told = self.stats()["x"]
        self.assertEqual(told["sum"], 30_000 * 29_999 // 2 - 20_000 + 5)
        self.assertIsNone(told["order"])
        valid = numpy.ones(30_000, bool)
        valid[[20_000, 29_999]] = False
        numpy.save(self.mnt / "t/x.valid.npy", valid)
        told = self.stats()["x"]
        self.assertEqual((told["nulls"], told["sum"]), (2, 30_000 * 29_999 // 2 - 20_000 - 29_999))
        self.assertEqual((told["order"], told["max"]), ("strictly ascending", 29_998))

    def test_of_text_longer_than_its_bounds(self):
        low, high = "a" * 200, "z" * 200
        (self.mnt / "t").mkdir()
        self.append("t", "text.csv", "s,i\n" + "".join(f"{value},1\n" for value in (high, low, "m", "")))
        told = self.stats()["s"]
        self.assertEqual(told["nulls"], 1)
        self.assertFalse(told["min_exact"] or told["max_exact"])
        self.assertLess(told["min"], low)
        self.assertGreater(told["max"], high)
        self.assertEqual(told["distinct_estimate"], 3)
        self.append("t", "more.csv", "s,i\n" + high + "z,2\n")
        self.assertGreater(self.stats()["s"]["max"], high + "z")

    def test_of_text_above_which_there_is_none(self):
        last = "\U0010ffff"
        for name, high, wanted in (("above", last * 17, None), ("whole", last * 16, last * 16),
                                   ("raised", "a" + last * 30, "b"),
                                   ("cut", last * 15 + "abcdefgh", last * 15 + "abd")):
            with self.subTest(name):
                self.make_dataset(name, s=numpy.array([high, "a"]))
                told = self.stats(name)["s"]
                self.assertEqual((told["min"], told["max"]), ("a", wanted))
                self.assertEqual(told.get("max_exact"), False if name in ("raised", "cut") else None)
                shown = self.stela("inspect", self.store, f"/{name}/s")
                self.assertIn('min "a"', shown.stdout)
                self.assertEqual("max" in shown.stdout.splitlines()[1], wanted is not None)

    def test_of_decimals_and_of_nothing(self):
        (self.mnt / "d").mkdir()
        schema = {"columns": [{"name": "price", "type": "decimal128(8,2)"}, {"name": "id", "type": "int32"}]}
        self.write(self.mnt / "d/.schema.json", json.dumps(schema))
        self.append("d", "rows.csv", "price,id\n1.25,1\n-7.50,\n,3\n100000.01,4\n")
        price = self.stats("d")["price"]
        self.assertEqual(decimal.Decimal(price["sum"]), decimal.Decimal("99993.76"))
        self.assertEqual(price["distinct_estimate"], 3)
        (self.mnt / "n").mkdir()
        self.append("n", "rows.csv", "x,y\n,1\n,2\n")
        nothing = self.stats("n")["x"]
        for field in ("min", "max", "order"):
            self.assertIsNone(nothing[field], field)


class Stretches(MountCase):
    """What `stela inspect` tells of each 8,192 rows."""
    STRETCH = 8192

    def stretches(self, name, place="t"):
        (told,) = json.loads(self.stela("inspect", self.store, f"/{place}/{name}", "--json").stdout)["columns"]
        return told, [stretch for piece in told["pieces"] for stretch in piece["stretches"]]

    def check(self, name, values, stretches):
        """values: of Python, None where null."""
        self.assertEqual([stretch["first_row"] for stretch in stretches], list(range(0, len(values), self.STRETCH)))
        for told in stretches:
            part = values[told["first_row"]:told["first_row"] + self.STRETCH]
            there = [value for value in part if value is not None]
            self.assertEqual((told["rows"], told["nulls"]), (len(part), len(part) - len(there)), name)
            known = told["statistics"]
            if not there:
                self.assertEqual((known["min"], known["max"], known["order"], known["sum"]), (None,) * 4, name)
                continue
            self.assertEqual((known["min"], known["max"]), (min(there), max(there)), name)
            pairs = list(zip(there, there[1:]))
            order = ("strictly ascending" if all(a < b for a, b in pairs) else "constant" if len(set(there)) == 1 else
                     "descending" if all(a >= b for a, b in pairs) else None)
            self.assertEqual(known["order"], order, name)
            total = exact(there) if isinstance(there[0], float) else None if isinstance(there[0], str) else sum(there)
            self.assertEqual(known["sum"], total, name)
            distinct = len(set(there))
            error = known["distinct_estimate"] / distinct - 1
            self.assertLessEqual(abs(error), 0 if distinct <= 128 else 0.1, name)

    def test_of_nulls_across_pages_to_a_shorter_last_one(self):
        rows = 45_000
        random = numpy.random.default_rng(8)
        columns = {
            "up": [row * 3 if row % 7 else None for row in range(rows)], "down": [-(row // 50) for row in range(rows)],
            "gone": [5 if row // self.STRETCH != 2 else None for row in range(rows)],
            "float": [value if row % 11 else None for row, value in
                      enumerate((random.normal(size=rows) * 10.0 ** random.integers(-9, 9, rows)).tolist())],
            "text": [f"{n % 700} is what this row of text says" if n % 5 else None for n in
                     random.integers(0, 10**6, rows).tolist()]}
        lines = "".join(",".join("" if value is None else str(value) for value in row) + "\n"
                        for row in zip(*columns.values()))
        (self.mnt / "t").mkdir()
        self.append("t", "rows.csv", ",".join(columns) + "\n" + lines)
        for compacted in range(2):
            for name, values in columns.items():
                told, stretches = self.stretches(name)
                self.check(name, values, stretches)
                pages = [page for piece in told["pieces"] for page in piece["layout"]]
                self.assertEqual(sum(page["nulls"] for page in pages), values.count(None), name)
                borders = {page["first_row"] for page in pages} - {0}
                if not compacted:
                    self.assertTrue(borders, name)
                if name == "text" and not compacted:
                    self.assertTrue(any(border % self.STRETCH for border in borders), borders)
            self.stela("compact", self.store, "/t", "--cold")
        text = self.stela("inspect", self.store, "/t/gone", "--statistics").stdout
        self.assertRegex(text, r"rows 16384 \+8192 +8192 nulls +no values\n")
        self.assertRegex(text, r"rows 40960 \+4040 +0 nulls +min 5, max 5, constant, sum 20200, distinct: about 1\n")
        self.assertNotIn("checksums", text)
        self.assertNotIn("min 5, max 5, constant, sum 40960", self.stela("inspect", self.store, "/t/gone").stdout)
        self.assertIn("stretches", self.stela("inspect", self.store, "/t", "--statistics", "--json").stdout)
        self.assertNotIn("stretches", self.stela("inspect", self.store, "/t", "--json").stdout)

    def test_of_a_plain_file_and_of_rows_that_later_versions_added(self):
        values = numpy.random.default_rng(9).integers(-2**62, 2**62, 150_000)
        (self.mnt / "t").mkdir()
        numpy.save(self.mnt / "t/x.npy", values)
        told, stretches = self.stretches("x")
        self.assertTrue(told["pieces"][0]["where"].endswith(".flat"))
        for stretch in stretches:  # of sums beyond 63 bits the text
            stretch["statistics"]["sum"] = int(stretch["statistics"]["sum"])
        self.check("x", values.tolist(), stretches)
        (self.mnt / "s").mkdir()
        for number in range(3):
            numpy.savez(self.mnt / f"s/.append/{number}.npz", x=numpy.arange(5000) + 5000 * number)
        self.stela("compact", self.store, "/s")
        _, stretches = self.stretches("x", "s")
        self.check("x", list(range(15_000)), stretches)
        told, stretches = self.stretches("x", "s/.versions/2")
        # Of a stretch or a page of which the version has a part, nothing is known.
        self.assertEqual([(stretch["rows"], stretch["nulls"]) for stretch in stretches], [(8192, 0), (1808, None)])
        self.assertEqual([known["statistics"] for known in stretches[1:] + told["pieces"][0]["layout"]], [None, None])
        text = self.stela("inspect", self.store, "/s/.versions/2/x", "--statistics").stdout
        self.assertIn("rows that came later", text)


class Layout(MountCase):
    MOUNTED = False

    def test_what_upkeep_changes_is_told_whole(self):
        self.mount("fold_idle=1h")
        (self.mnt / "d").mkdir()
        (self.mnt / "o").mkdir()
        numpy.save(self.mnt / "d/x.npy", numpy.arange(300_000))
        mapped = numpy.load(self.mnt / "d/x.npy", mmap_mode="r+")
        mapped[7] = 6
        mapped.flush()
        del mapped
        size = os.stat(self.mnt / "d/.stats.json").st_size
        before = json.loads((self.mnt / "d/.stats.json").read_text())["columns"][0]
        self.assertIsNone(before["distinct_estimate"])
        for name in "abcdefghij":  # other views, so that those held are of these
            numpy.save(self.mnt / f"o/{name}.npy", numpy.arange(10))
            (self.mnt / f"o/{name}.txt").read_text()
        self.stela("compact", self.store, "/d")
        for _ in range(2):
            after = (self.mnt / "d/.stats.json").read_text()
            self.assertNotEqual(len(after), size)
            self.assertIsNotNone(json.loads(after)["columns"][0]["distinct_estimate"])


class StatisticsOfBefore(MountCase):
    MOUNTED = False
    KNOWN = ("order", "sum", "distinct_estimate")

    def stats_of(self, name):
        with tarfile.open(SOURCE / "tests/data/stores" / name) as archive:
            archive.extractall(self.folder)
        self.mount()
        return json.loads((self.mnt / "rows/.stats.json").read_text())["columns"]

    def test_of_the_first_release_that_kept_them(self):
        row = numpy.arange(20_000)
        stats = {column["name"]: [column[field] for field in self.KNOWN]
                 for column in self.stats_of("statistics.tar.xz")}
        values = numpy.where(row % 13 == 0, numpy.nan, row / 8)
        distinct = {name: stats[name].pop() for name in ("row", "part", "long")}
        self.assertEqual(stats, {
            "row": ["strictly ascending", 20_000 * 19_999 // 2], "part": [None, float(numpy.nansum(values))],
            "few": [None, int((row % 97).sum()), 97], "same": ["constant", 7 * 20_000, 1],
            "word": [None, None, 5], "long": [None, None]})
        for name, wanted in (("row", 20_000), ("part", 20_000 - 1539), ("long", 300)):
            self.assertAlmostEqual(distinct[name] / wanted, 1, delta=0.1, msg=name)

    def test_what_was_not_kept_is_null(self):
        for column in self.stats_of("chunked_pages.tar.xz"):
            self.assertEqual([column[field] for field in self.KNOWN], [None, None, None], column["name"])
            self.assertIsNotNone(column["max"])


if __name__ == "__main__":
    unittest.main()

"""Rows whose pages are encoded, read back through a real mount; and stores that earlier releases wrote."""
import hashlib
import json
import subprocess
import tarfile
import unittest

import numpy

from mounted_store import SOURCE, STELA, MountCase, npy, wait_until

ROWS = 150_000


def columns():
    """Columns for which different encodings are the smallest."""
    random = numpy.random.default_rng(11)
    row = numpy.arange(ROWS)
    prices = numpy.round(random.uniform(0, 500, ROWS), 2)
    return {
        "constant": numpy.full(ROWS, 7), "small": random.integers(0, 5000, ROWS),
        "outlier": numpy.where(random.integers(0, 300, ROWS) == 0, random.integers(-2**60, 2**60, ROWS), row % 90),
        "ms": (1_700_000_000_000 + row * 1000 + random.integers(0, 300, ROWS)).astype("M8[ms]"),
        "runs": numpy.repeat(random.integers(0, 1000, ROWS // 50), 50), "flag": random.integers(0, 20, ROWS) == 0,
        "price": prices, "noise": random.integers(-2**63, 2**63 - 1, ROWS), "vector": random.random((ROWS, 3), "f4"),
        "word": numpy.array(["", "one", "two", "three hundred", "ü"])[random.integers(0, 5, ROWS)],
        "line": numpy.array([f"line {value} of the text" for value in random.integers(0, 2**40, ROWS)]),
        "single": prices.astype("f4"), "byte": (row % 7).astype("i1"), "half": (row % 64 / 4).astype("f2"),
    }


def layout_columns():
    """Rows of the stores of released layouts: as "rows" in light pages, as "cold" in cold ones, as "large" large values."""
    row = numpy.arange(40_000)
    mixed = (row % 2048).astype("u8") * numpy.uint64(0x9e3779b97f4a7c15)
    mixed = (mixed ^ (mixed >> numpy.uint64(29))) * numpy.uint64(0xbf58476d1ce4e5b9)
    number = (mixed >> numpy.uint64(33)).astype("i8")
    rows = {
        "packed": number % 100_000, "patched": numpy.where(number % 300 == 7, number << 20, number % 90),
        "delta": numpy.cumsum(number % 200), "runs": row // 50 % 97, "price": number % 50_000 / 100, "noise": mixed,
        "word": numpy.array(["", "one", "two", "three hundred", "\u00fc"])[number % 5], "flag": number % 20 == 0,
        "line": numpy.array([f"line {n % 1009} of the text, {n}" for n in number]), "single": (number % 9999 / 8).astype("f4"),
    }
    large = {"text": numpy.array([f"{n}: " + "large value " * (20 + n % 16 * 8) for n in number[:2500]]),
             "vector": ((row[:2500, None] + row[:100]) % 256).astype("f4")}
    return rows, large


def entropy_columns():
    """Rows of the store of entropy codes, which never repeat; in cold pages."""
    number = numpy.arange(12_345).astype("u8") * numpy.uint64(0x9e3779b97f4a7c15)
    number = (number ^ (number >> numpy.uint64(29))) * numpy.uint64(0xbf58476d1ce4e5b9) >> numpy.uint64(33)
    return {"byte": (number % 20).astype("u1"), "signed": (number % 7 * (number % 3)).astype("i1"), "flag": number % 20 == 0,
            "small": (number % 5001).astype("i8"), "price": (number % 9973).astype("f8") / 100,
            "word": numpy.array(["", "one", "two", "three", "four", "five"])[number % 50 % 6]}


def bitmap_columns():
    """Rows of the store of bitmaps without an index: few true, few false, and enough of a container for its bits."""
    mixed = numpy.arange(300_000).astype("u8") * numpy.uint64(0x9e3779b97f4a7c15)
    mixed = (mixed ^ (mixed >> numpy.uint64(31))) * numpy.uint64(0xbf58476d1ce4e5b9) >> numpy.uint64(40)
    thick = numpy.where(numpy.arange(300_000) < 65_536, 14, 25).astype("u8")
    return {"rare": mixed % 1000 == 0, "seldom": mixed % 20 == 0, "mostly": mixed % 50 != 0, "thick": mixed % thick == 0}


# Of a column that lies in one fragment.
def pages_file(pieces):
    return pieces[0]["where"].partition("@")[0]


class EncodedPages(MountCase):
    def stored(self, name):
        """(bytes of the values, bytes stored) of a column of /t."""
        found = json.loads(self.stela("inspect", self.store, "/t/" + name, "--json").stdout)["columns"][0]
        return found["value_bytes"], found["stored_bytes"]

    def flip(self, name, at):
        """One bit of a file of the store."""
        with open(self.store / name, "r+b") as stored:
            stored.seek(at)
            byte = stored.read(1)[0]
            stored.seek(at)
            stored.write(bytes([byte ^ 1]))

    def test_rows_of_every_encoding_come_back(self):
        wanted = columns()
        (self.mnt / "t").mkdir()
        numpy.savez(self.mnt / "t/.append/rows.npz", **wanted)
        for again in range(2):
            for name, values in wanted.items():
                if values.dtype.kind == "U":
                    self.assertEqual((self.mnt / f"t/{name}.txt").read_text(), "".join(f"{v}\n" for v in values))
                    continue
                self.assertEqual((self.mnt / f"t/{name}.npy").read_bytes(), npy(values), name)
                mapped = numpy.load(self.mnt / f"t/{name}.npy", mmap_mode="r")
                for at in (0, 1023, 1024, 77_777, ROWS - 1):
                    self.assertEqual(mapped[at].tobytes(), values[at].tobytes(), f"{name}[{at}]")
            del mapped
            if again == 0:
                self.umount()
                self.mount()
        for name in ("small", "outlier", "ms", "runs", "word", "flag", "price", "line"):
            values, stored = self.stored(name)
            self.assertLess(stored, values / 2, name)
        for name in ("noise", "vector"):
            values, stored = self.stored(name)
            self.assertGreaterEqual(stored, values, name)

    def test_nulls_keep_their_fill(self):
        lines = [f"{'' if row % 10 == 3 else row % 500},{'' if row % 50 else '2020-01-02T03:04:05'}" for row in range(60_000)]
        (self.mnt / "t").mkdir()
        self.write(self.mnt / "t/.append/x.csv", "n,when\n" + "\n".join(lines) + "\n")
        self.umount()
        self.mount()
        valid = numpy.arange(60_000) % 10 != 3
        self.assertEqual(self.load("t/n.npy").tolist(), numpy.where(valid, numpy.arange(60_000) % 500, 0).tolist())
        self.assertEqual(self.load("t/n.valid.npy").tolist(), valid.tolist())
        self.assertEqual(int(numpy.isnat(self.load("t/when.npy")).sum()), 60_000 - 1200)
        for name in ("n", "when"):
            values, stored = self.stored(name)
            self.assertLess(stored, values / 3, name)

    def test_inspect_says_why(self):
        (self.mnt / "t").mkdir()
        numpy.savez(self.mnt / "t/.append/x.npz", small=numpy.arange(200_000) * 7 % 1000, none=numpy.random.random(200_000))
        found = json.loads(self.stela("inspect", self.store, "/t", "--why", "--json").stdout)["columns"]
        pages = {column["name"]: column["pieces"][0]["choices"] for column in found}
        self.assertEqual(pages["none"], [])
        self.assertEqual(sum(page["rows"] for page in pages["small"]), 200_000)
        for page in pages["small"]:
            self.assertLess(page["stored_bytes"], page["estimates"]["plain"] / 4)
            self.assertEqual(page["encoding"], min(page["estimates"], key=page["estimates"].get))
        text = self.stela("inspect", self.store, "/t/small", "--why").stdout
        self.assertIn("of delta", text)

    def test_inspect_shows_each_page_with_its_cascade_and_checksums(self):
        (self.mnt / "t").mkdir()
        lines = "n,word,same\n" + "".join(f"{i * i * 7919 % 99991 % 1000},{'abcd'[i % 4]}{i % 4},7\n" for i in range(100_000))
        (self.mnt / "t/.append/x.csv").write_text(lines)
        words = json.loads(self.stela("inspect", self.store, "/t/word", "--json").stdout)["columns"][0]["pieces"]
        pages = [page for piece in words for page in piece["layout"]]
        self.assertEqual(sum(page["rows"] for page in pages), 100_000)
        self.assertEqual(sum(page["value_bytes"] for page in pages), 200_000)
        for page in pages:
            self.assertRegex(page["cascade"], r"^dictionary of 4 \(packed(_tight)? 2 bits, \w+.*\)$")
            self.assertEqual(page["checksum"], "right")
        for name, least in ("n", 240 << 10), ("word", 240 << 10), ("same", 240 << 10):
            column = json.loads(self.stela("inspect", self.store, f"/t/{name}", "--json").stdout)["columns"][0]
            sizes = [page["value_bytes"] + (4 * page["rows"] if name == "word" else 0)
                     for piece in column["pieces"] for page in piece["layout"]]
            self.assertLessEqual(sum(size < least for size in sizes), 1, f"undersized pages of {name}: {sizes}")
        text = self.stela("inspect", self.store, "/t", "--pages").stdout
        self.assertRegex(text, r"rows 0 \+\d+ +packed\w* 10 bits ")
        self.assertRegex(text, r"rows 0 \+\d+ +constant .* checksums are right")
        self.umount()
        self.flip(pages_file(words), pages[0]["offset"] + pages[0]["stored_bytes"] - 1)
        words = json.loads(self.stela("inspect", self.store, "/t/word", "--json").stdout)["columns"][0]["pieces"]
        pages = [page for piece in words for page in piece["layout"]]
        self.assertEqual([page["checksum"] for page in pages], ["wrong"] + ["right"] * (len(pages) - 1))
        self.assertIn("checksum", pages[0]["damage"])
        (told,) = json.loads(self.stela("inspect", self.store, "/t/word", "--why", "--json").stdout)["columns"]
        choices = [page for piece in told["pieces"] for page in piece["choices"]]
        self.assertEqual([page["first_row"] for page in choices], [page["first_row"] for page in pages])
        self.assertIn("checksum", choices[0]["damage"])
        self.assertEqual(choices[0]["estimates"], {})
        for page in choices[1:]:
            self.assertNotIn("damage", page)
            self.assertIn("plain", page["estimates"])
        text = self.stela("inspect", self.store, "/t", "--why").stdout
        self.assertRegex(text, r"rows 0 \+\d+ .*checksum of")
        self.assertEqual(text.count("checksum"), 1)
        self.assertIn("constant", text)

    def test_inspect_shows_damage_of_a_plain_file(self):
        values = numpy.random.default_rng(3).integers(0, 2**62, 200_000)
        (self.mnt / "t").mkdir()
        numpy.save(self.mnt / "t/x.npy", values)

        def shown(*options):
            (told,) = json.loads(self.stela("inspect", self.store, "/t", "--json", *options).stdout)["columns"]
            return told["pieces"]
        (piece,) = shown("--pages")
        (page,) = piece["layout"]
        self.assertEqual([page[field] for field in ("first_row", "rows", "offset", "value_bytes", "cascade", "checksum")],
                         [0, 200_000, 128, 1_600_000, "plain", "right"])
        self.assertEqual((page["statistics"]["min"], page["statistics"]["sum"]), (values.min(), str(values.sum(dtype="O"))))
        self.assertEqual(shown("--why")[0]["choices"], [])
        self.umount()
        for at in (128 + 8 * 50_000, 128 + 8 * 199_999):
            self.flip(piece["where"], at)
        for mounted in range(2):
            (page,) = shown("--pages")[0]["layout"]
            self.assertEqual(page["checksum"], "wrong")
            self.assertIn("rows 49152 to 57343: ", page["damage"])
            self.assertIn("and 1 more damage", page["damage"])
            self.assertIn("checksum", self.stela("inspect", self.store, "/t/x").stdout)
            self.assertNotIn("layout", shown()[0])
            if not mounted:
                self.mount()
        self.umount()
        (self.store / piece["where"]).unlink()
        (page,) = shown("--pages")[0]["layout"]
        self.assertEqual((page["checksum"], page["rows"]), ("wrong", 200_000))

    def test_a_column_saved_by_itself_is_a_plain_file(self):
        values = numpy.arange(200_000) % 100
        (self.mnt / "t").mkdir()
        numpy.save(self.mnt / "t/x.npy", values)
        self.assertEqual(self.load("t/x.npy").tolist(), values.tolist())
        flats = [path.read_bytes() for path in self.store.glob("data/*/*.flat")]
        self.assertEqual(flats, [npy(values)])


class Compaction(MountCase):
    def fill(self):
        """Two versions of /t; what each file of them holds."""
        wanted = {name: values[:40_000] for name, values in columns().items()}
        (self.mnt / "t").mkdir()
        numpy.savez(self.mnt / "t/.append/rows.npz", **wanted)
        numpy.savez(self.mnt / "t/.append/more.npz", **{name: values[:5000] for name, values in wanted.items()})
        numpy.save(self.mnt / "t/saved.npy", numpy.arange(45_000 * 4).reshape(-1, 4) % 300)
        return self.shown()

    def shown(self):
        found = {}
        for place in (self.mnt / "t", self.mnt / "t/.versions/1", self.mnt / "t/.versions/2"):
            for path in sorted(place.glob("*.npy")) + sorted(place.glob("*.txt")):
                found[path.relative_to(self.mnt)] = hashlib.sha256(path.read_bytes()).hexdigest()
        self.assertGreater(len(found), 30)
        return found

    def stored_bytes(self):
        return sum(path.stat().st_size for path in self.store.glob("data/*/*"))

    def test_cold_is_smaller_and_every_version_stays(self):
        before = self.fill()
        mapped = numpy.load(self.mnt / "t/saved.npy", mmap_mode="r")
        wanted = mapped.tobytes()
        told = json.loads(self.stela("compact", self.mnt / "t", "--cold", "--json").stdout)["datasets"][0]
        self.assertEqual(told["dataset"], "/t")
        self.assertLess(told["bytes_after"], told["bytes_before"] * 0.8)
        self.assertEqual(self.shown(), before)
        self.assertEqual(mapped.tobytes(), wanted)
        del mapped
        stored = json.loads(self.stela("inspect", self.store, "/t/line", "--json").stdout)["columns"][0]
        self.assertLess(stored["stored_bytes"], stored["value_bytes"] * 0.4)
        self.assertIn("zstd", self.stela("inspect", self.store, "/t/line", "--why").stdout)
        # Appended rows and cells changed in place lie beside cold pages.
        numpy.savez(self.mnt / "t/.append/last.npz", **{name: values[:10] for name, values in columns().items()},
                    saved=numpy.zeros((10, 4), int))
        rows = numpy.load(self.mnt / "t/small.npy", mmap_mode="r+")
        rows[77] = -5
        rows.flush()
        del rows
        self.assertEqual(self.load("t/small.npy")[[76, 77]].tolist(), [columns()["small"][76], -5])
        self.umount()
        self.assertLess(self.stored_bytes(), told["bytes_before"] * 0.85)
        self.assertIn("no damage", self.stela("check", self.store).stdout)
        offline = self.stela("compact", self.store, "--cold").stdout
        self.assertTrue(offline.startswith("/t: "), offline)
        self.mount()
        self.assertEqual({path: digest for path, digest in self.shown().items() if ".versions" in str(path)},
                         {path: digest for path, digest in before.items() if ".versions" in str(path)})
        self.assertEqual(int(self.load("t/small.npy")[77]), -5)

    def test_killed_while_it_writes(self):
        before = self.fill()
        self.umount()
        files = {path.name for path in self.store.glob("data/*/*")}
        for _ in range(2):
            running = subprocess.Popen([STELA, "compact", self.store, "--cold"], stdout=subprocess.DEVNULL)
            wait_until(lambda: running.poll() is not None
                       or {path.name for path in self.store.glob("data/*/*")} - files, "a new file")
            running.kill()
            running.wait()
            self.assertIn("no damage", self.stela("check", self.store).stdout)
            self.mount()
            self.assertEqual(self.shown(), before)
            self.umount()

    def test_of_what_is_not_there(self):
        refused = self.stela("compact", self.store, "/none", "--cold", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("/none", refused.stderr)


class ReleasedLayouts(MountCase):
    MOUNTED = False

    def open_store(self, name):
        with tarfile.open(SOURCE / "tests/data/stores" / name) as archive:
            archive.extractall(self.folder)
        self.assertIn("no damage", self.stela("check", self.store).stdout)
        self.mount()

    def test_pages_of_plain_values(self):
        self.open_store("plain_pages.tar.xz")
        row = numpy.arange(40_000)
        self.assertEqual(self.load("rows/i.npy").tolist(), numpy.where(row % 11 == 0, 0, row * 7 % 1000).tolist())
        self.assertEqual(self.load("rows/i.valid.npy").tolist(), (row % 11 != 0).tolist())
        numpy.testing.assert_array_equal(self.load("rows/f.npy"), numpy.where(row % 13 == 0, numpy.nan, row % 97 / 8))
        lines = ["\\N" if i % 7 == 3 else f"row {i % 1000}, ü" for i in range(40_000)]
        self.assertEqual((self.mnt / "rows/s.txt").read_text().splitlines(), lines)
        self.assertEqual(self.load("rows/b.npy").tolist(), (row % 2 == 1).tolist())
        numpy.testing.assert_array_equal(self.load("rows/d.npy"), numpy.datetime64("2013-01-01") + row % 365)
        k = numpy.arange(3000)
        kinds = {"u8": (k % 200).astype("u1"), "i2": (k % 300 - 150).astype("i2"), "u4": (k * k).astype("u4"),
                 "f2": (k % 64 / 4).astype("f2"), "v": (numpy.arange(9000) % 50).astype("f4").reshape(3000, 3),
                 "t": (k * 1000003).astype("M8[us]"), "dt": k.astype("m8[s]")}
        for name, values in kinds.items():
            self.assertEqual((self.mnt / f"kinds/{name}.npy").read_bytes(), npy(values), name)
        self.assertEqual((self.mnt / "flat/x.npy").read_bytes(), npy((numpy.arange(200_000) % 1000).astype("f8")))

    def check_layout(self, name):
        """A store of layout_columns()."""
        self.open_store(name)
        rows, large = layout_columns()
        for folder, columns_of in (("rows", rows), ("cold", rows), ("large", large)):
            for column, values in columns_of.items():
                if values.dtype.kind == "U":
                    text = (self.mnt / f"{folder}/{column}.txt").read_text()
                    self.assertEqual(text, "".join(f"{value}\n" for value in values), f"{folder}/{column}")
                    continue
                mapped = numpy.load(self.mnt / f"{folder}/{column}.npy", mmap_mode="r")
                for at in (len(values) - 1, 0, len(values) // 2):
                    self.assertEqual(mapped[at].tobytes(), values[at].tobytes(), f"{folder}/{column}[{at}]")
                del mapped
                self.assertEqual((self.mnt / f"{folder}/{column}.npy").read_bytes(), npy(values), f"{folder}/{column}")

    def test_pages_in_entropy_codes(self):
        self.open_store("entropy_pages.tar.xz")
        inspected = self.stela("inspect", self.store, "/cold/flag").stdout
        self.assertRegex(inspected, r"rows 0 \+12345 +rans ")
        self.assertRegex(self.stela("inspect", self.store, "/cold/small").stdout,
                         r"byte_split \(packed_tight \d bits, \w+, 7 x constant\)")
        self.assertRegex(self.stela("inspect", self.store, "/cold/price").stdout, r"alp \(byte_split \(.*rans")
        for column, values in entropy_columns().items():
            if values.dtype.kind == "U":
                self.assertEqual((self.mnt / f"cold/{column}.txt").read_text(), "".join(f"{v}\n" for v in values))
                continue
            self.assertEqual((self.mnt / f"cold/{column}.npy").read_bytes(), npy(values), column)

    def test_pages_of_bitmaps(self):
        self.open_store("bitmap_pages.tar.xz")
        self.assertRegex(self.stela("inspect", self.store, "/rows/thick").stdout, r"rows 0 \+262144 +roaring ")
        for column, values in bitmap_columns().items():
            for folder in ("rows", "cold"):
                mapped = numpy.load(self.mnt / f"{folder}/{column}.npy", mmap_mode="r")
                for at in (299_999, 65_536, 4095):
                    self.assertEqual(bool(mapped[at]), bool(values[at]), f"{folder}/{column}[{at}]")
                del mapped
                self.assertEqual((self.mnt / f"{folder}/{column}.npy").read_bytes(), npy(values), f"{folder}/{column}")

    def test_pages_that_are_encoded(self):
        self.check_layout("encoded_pages.tar.xz")

    def test_pages_in_chunks(self):
        self.check_layout("chunked_pages.tar.xz")


if __name__ == "__main__":
    unittest.main()

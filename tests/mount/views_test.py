"""Every form of every column and table, at the head, in versions and by tag, against a reckoning in Python."""
import csv
import errno
import io
import json
import math
import os
import pty
import re
import subprocess
import threading
import unittest

import numpy

from mounted_store import STELA, MountCase, npy

NUMPY_TYPES = ["?", "i1", "<i2", "<i4", "<i8", "u1", "<u2", "<u4", "<u8", "<f2", "<f4", "<f8", "<M8[D]", "<M8[s]",
               "<M8[ms]", "<M8[us]", "<M8[ns]", "<m8[s]", "<m8[ns]"]
CITIES = ["", "Paris", 'say "hi"', "a,b", "two\nlines", "é", "null", "tab\there", "\\N"]


def random_array(dtype, rows, random):
    """Values of any size, specials among them, without NaT (which is null)."""
    dtype = numpy.dtype(dtype)
    if dtype.kind == "b":
        return random.integers(0, 2, rows).astype(bool)
    if dtype.kind in "iu":
        return numpy.frombuffer(random.bytes(rows * dtype.itemsize), dtype).copy()
    if dtype.kind == "f":
        with numpy.errstate(over="ignore"):
            values = (random.normal(size=rows) * 10.0 ** random.integers(-3, 5, rows)).astype(dtype)
        values[:8] = [0.0, -0.0, numpy.nan, numpy.inf, -numpy.inf, 1.0, 0.1, 1e4]
        return values
    if dtype.kind == "m":
        return random.integers(-10**12, 10**12, rows).astype(dtype)
    per_second = {"D": 1, "s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[numpy.datetime_data(dtype)[0]]
    bound = 40_000 if per_second == 1 and numpy.datetime_data(dtype)[0] == "D" else 10**9 * per_second
    return random.integers(-bound // 2, bound, rows).astype(dtype)


def text_of(value):
    """A value of numpy as the views write it; None is a null."""
    kind = value.dtype.kind
    if kind == "b":
        return "true" if value else "false"
    if kind in "iu":
        return str(value)
    if kind == "f":
        if numpy.isnan(value):
            return "NaN"
        if numpy.isinf(value):
            return "inf" if value > 0 else "-inf"
        exponent = 0 if value == 0 else math.floor(math.log10(abs(float(value))))
        if -4 <= exponent <= 15:
            text = numpy.format_float_positional(value, unique=True, trim="0")
            return text
        text = numpy.format_float_scientific(value, unique=True, trim="-")
        mantissa, exponent = text.split("e")
        return f"{mantissa}e{exponent[0]}{exponent[1:].zfill(2)}"
    if kind == "M":
        text = numpy.datetime_as_string(value)
        if "." in text:
            whole, fraction = text.split(".")
            while fraction.endswith("000"):
                fraction = fraction[:-3]
            text = whole + ("." + fraction if fraction else "")
        return text
    per_second = {"s": 1, "ns": 10**9}[numpy.datetime_data(value.dtype)[0]]
    units = int(value.astype("i8"))
    seconds, fraction = divmod(abs(units), per_second)
    hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
    text = ("-" if units < 0 else "") + "PT" + (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    if seconds or fraction or not (hours or minutes):
        digits = f"{fraction:09d}" if fraction else ""
        while digits.endswith("000"):
            digits = digits[:-3]
        text += str(seconds) + ("." + digits if digits else "") + "S"
    return text


def csv_field(text):
    if text is None:
        return ""
    return '"' + text.replace('"', '""') + '"' if text == "" or any(c in text for c in ',"\r\n') else text


def txt_line(text):
    if text is None:
        return "\\N"
    escapes = {"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return "".join(escapes.get(c, c) for c in text)


class Table:
    """Columns as numpy arrays or lists of texts, with their nulls, in order."""

    def __init__(self, rows, seed):
        random = numpy.random.default_rng(seed)
        self.rows, self.columns = rows, {}
        for number, dtype in enumerate(NUMPY_TYPES):
            valid = random.random(rows) >= (0, 0.3, 1.1)[number % 3]
            self.columns[f"c{number:02}"] = (random_array(dtype, rows, random), valid)
        valid = random.random(rows) >= 0.2
        self.columns["city"] = ([CITIES[n % len(CITIES)] for n in random.integers(0, 100, rows)], valid)

    def texts(self, name, rows=None):
        values, valid = self.columns[name]
        plain = (lambda v: v) if isinstance(values, list) else text_of
        return [plain(values[row]) if valid[row] else None for row in range(rows or self.rows)]

    def table_csv(self, rows=None):
        fields = [[csv_field(text) for text in self.texts(name, rows)] for name in self.columns]
        return "".join(",".join(line) + "\n" for line in [list(self.columns), *zip(*fields)])


class Views(MountCase):
    def make(self, table, dataset="t"):
        """Columns by np.save, their nulls after them; the text by the drop box of another dataset."""
        (self.mnt / dataset).mkdir()
        for name, (values, valid) in table.columns.items():
            if isinstance(values, list):
                continue
            self.write(self.mnt / dataset / f"{name}.npy", npy(values))
            if not valid.all():
                self.write(self.mnt / dataset / f"{name}.valid.npy", npy(valid))
        lines = [csv_field(text) for text in table.texts("city")]
        (self.mnt / "texts").mkdir()
        self.append("texts", "x.csv", "city\n" + "\n".join(lines) + "\n")
        self.write(self.mnt / dataset / "city.arrow", (self.mnt / "texts/city.arrow").read_bytes())
        self.shell("rm -r mnt/texts")

    def check_size(self, path):
        data = (self.mnt / path).read_bytes()
        self.assertEqual(os.stat(self.mnt / path).st_size, len(data), path)
        return data

    def check(self, place, table, rows=None):
        """All forms of a table's first rows."""
        rows = rows or table.rows
        self.assertEqual(self.check_size(f"{place}/.table.csv").decode(), table.table_csv(rows))
        for name, (values, valid) in table.columns.items():
            texts = table.texts(name, rows)
            self.assertEqual(self.check_size(f"{place}/{name}.csv").decode(),
                             "".join(csv_field(text) + "\n" for text in [name, *texts]), name)
            self.assertEqual(self.check_size(f"{place}/{name}.txt").decode(),
                             "".join(txt_line(text) + "\n" for text in texts), name)
            if isinstance(values, list):
                continue
            self.assertEqual(numpy.load(io.BytesIO(self.check_size(f"{place}/{name}.valid.npy"))).tolist(),
                             valid[:rows].tolist(), name)
            shown = numpy.load(io.BytesIO(self.check_size(f"{place}/{name}.npy")))
            self.assertEqual(shown.dtype, values.dtype)
            self.assertEqual(shown[valid[:rows]].tobytes(), values[:rows][valid[:rows]].tobytes(), name)
        for line, wanted in zip(self.check_size(f"{place}/.table.jsonl").decode().splitlines(),
                                zip(*(table.texts(name, rows) for name in table.columns)), strict=True):
            for (name, value), text in zip(json.loads(line).items(), wanted, strict=True):
                if isinstance(value, (bool, int)) and text is not None:
                    self.assertEqual(json.dumps(value), text, name)
                elif isinstance(value, float):
                    self.assertEqual(value, float(text), name)
                else:
                    self.assertEqual(value, text, name)

    def test_every_form_of_every_type(self):
        table = Table(60, 1)
        self.make(table)
        self.check("t", table)
        version = self.version("t")
        self.check(f"t/.versions/{version}", table)
        os.symlink(f"../.versions/{version}", self.mnt / "t/.tags/v1")
        self.check("t/.tags/v1", table)

    def test_versions_that_end_anywhere_and_the_same_bytes_after_a_restart(self):
        table = Table(400, 2)
        first = Table(400, 2)
        first.columns = {name: (values[:50], valid[:50]) for name, (values, valid) in table.columns.items()}
        first.rows = 50
        self.make(first, "t")
        ends = {self.version("t"): 50}
        lines = table.table_csv()
        records = list(csv.reader(io.StringIO(lines), quoting=csv.QUOTE_MINIMAL))
        self.assertEqual(len(records), 401)
        fields = [[csv_field(text) for text in table.texts(name)] for name in table.columns]
        rows = [",".join(line) for line in zip(*fields)]
        for begin, end in ((50, 51), (51, 130), (130, 133), (133, 400)):
            self.append("t", "x.csv", ",".join(table.columns) + "\n" + "\n".join(rows[begin:end]) + "\n")
            ends[self.version("t")] = end

        def read_all():
            found = {}
            for version in ends:
                for name in (".table.csv", ".table.jsonl", ".table.arrow", "c09.arrow", "city.arrow", "city.csv",
                             "c15.txt", "c01.npy", "c01.valid.npy"):
                    found[version, name] = (self.mnt / f"t/.versions/{version}/{name}").read_bytes()
            return found

        for version, end in ends.items():
            self.check(f"t/.versions/{version}", table, end)
        everything = read_all()
        self.assertEqual(read_all(), everything)
        self.umount()
        self.mount()
        self.assertEqual(read_all(), everything)

    def test_parts_of_a_text_in_bounded_memory(self):
        values = numpy.random.default_rng(3).integers(-10**9, 10**9, 2_000_000)
        self.make_dataset("t", a=values, b=values * 0.5)
        self.umount()
        self.mount()
        before = self.peak_kib()
        wanted = "".join(f"{value},{half!r}\n" for value, half in zip(values.tolist(), (values * 0.5).tolist()))
        wanted = ("a,b\n" + wanted).encode()
        path = "mnt/t/.table.csv"
        self.assertEqual(self.bytes_of(f"head -c 1000 {path}"), wanted[:1000])
        self.assertEqual(self.bytes_of(f"tail -c 1000 {path}"), wanted[-1000:])
        self.assertEqual(self.bytes_of(f"dd if={path} bs=1000 skip=20000 count=3"), wanted[20_000_000:20_003_000])
        self.assertEqual(self.bytes_of(f"tail -n 2 {path}"), b"\n".join(wanted.split(b"\n")[-3:]))
        self.assertTrue(self.bytes_of(f"cat {path}") == wanted)
        self.assertEqual(os.stat(self.mnt / "t/.table.csv").st_size, len(wanted))
        self.assertLess(self.peak_kib() - before, 100 << 10)

    def bytes_of(self, script):
        return subprocess.run(["sh", "-c", script], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              check=True, timeout=60).stdout

    def peak_kib(self):
        status = open(f"/proc/{self.daemon_pid()}/status", encoding="ascii").read()
        return int(re.search(r"VmHWM:\s+(\d+)", status).group(1))

    def test_what_cannot_be_written(self):
        self.make_dataset("t", a=[1])
        for name in (".table.csv", ".table.jsonl", ".table.arrow"):
            with self.refused(errno.EPERM):
                os.open(self.mnt / "t" / name, os.O_WRONLY | os.O_TRUNC)
            with self.refused(errno.EROFS):
                os.open(self.mnt / "t/.versions/1" / name, os.O_WRONLY | os.O_TRUNC)


class RoundTrips(MountCase):
    make = Views.make

    def same(self, one, other):
        for name in (".table.csv", ".table.arrow", ".table.jsonl"):
            self.assertTrue((self.mnt / one / name).read_bytes() == (self.mnt / other / name).read_bytes(), name)

    def test_files_of_columns(self):
        self.make(Table(300, 5))
        for number, (out, back) in enumerate((("cp -r mnt/t o0", "cp -r o0 mnt/r0"),
                                              ("cp -a mnt/t o1", "cp -a o1 mnt/r1"),
                                              ("mkdir o2 && tar -C mnt -cf o2/t.tar t",
                                               "mkdir mnt/r2 && tar -C mnt/r2 --strip-components=1 -xf o2/t.tar"),
                                              ("rsync -a mnt/t/ o3", "rsync -a o3/ mnt/r3"))):
            with self.subTest(out):
                self.shell(f"{out} && {back}")
                schema = [column["name"] for column in json.loads((self.mnt / f"r{number}/.schema.json").read_text())["columns"]]
                self.assertEqual(sorted(schema), sorted(Table(8, 1).columns))
                for name in self.names("t"):
                    self.assertEqual((self.mnt / f"r{number}" / name).read_bytes(), (self.mnt / "t" / name).read_bytes())

    def test_table_arrow_by_cp_and_by_import(self):
        self.make(Table(300, 6))
        self.shell("cp mnt/t/.table.arrow x.arrow && mkdir mnt/u && cp x.arrow mnt/u/.append/")
        self.same("u", "t")
        self.stela("export", self.store, "/t", self.folder / "y.arrow")
        self.assertEqual((self.folder / "y.arrow").read_bytes(), (self.folder / "x.arrow").read_bytes())
        self.stela("import", self.store, "/v", self.folder / "y.arrow")
        self.same("v", "t")

    def test_texts_into_a_dataset_that_knows_the_types(self):
        self.make(Table(300, 7))
        for name in ("x.csv", "x.jsonl"):
            with self.subTest(name):
                form = name[1:]
                self.shell(f"rm -rf mnt/u && mkdir mnt/u && cp mnt/t/.table.arrow mnt/u/.append/a.arrow && "
                           f"cp mnt/t/.table{form} mnt/u/.append/{name}")
                self.stela("export", self.store, "/t", self.folder / name)
                self.assertEqual((self.folder / name).read_bytes(), (self.mnt / f"t/.table{form}").read_bytes())
                once = (self.mnt / "t/.table.csv").read_bytes()
                header = once.index(b"\n") + 1
                self.assertTrue((self.mnt / "u/.table.csv").read_bytes() == once + once[header:])

    def test_whole_stores(self):
        table = Table(200, 8)
        self.make(table)
        self.shell("mkdir -p mnt/team/deep mnt/empty mnt/team/none && mv mnt/t mnt/team/deep/t && "
                   "printf 'a,b\\n1,x\\n' > mnt/empty/.append/x.csv && printf 'a\\n' > h.csv")
        self.make_dataset("zero", x=numpy.zeros(0), y=numpy.zeros(0, "<M8[us]"))
        for way in ("mounted", "not mounted"):
            with self.subTest(way):
                if way == "not mounted":
                    self.umount()
                out, store = self.folder / f"out {way}", self.folder / f"store {way}"
                self.stela("export", self.store, "/", out)
                self.assertEqual(sorted(str(path.relative_to(out)) for path in out.rglob("*")),
                                 ["empty.arrow", "team", "team/deep", "team/deep/t.arrow", "team/none", "zero.arrow"])
                self.stela("import", store, "/", out)
                for path in ("/team/deep/t", "/empty", "/zero"):
                    for form in (".table.arrow", ".table.csv"):
                        self.assertEqual(self.stela("cat", store, path + "/" + form).stdout_bytes,
                                         self.stela("cat", self.store, path + "/" + form).stdout_bytes, path)
                self.assertEqual(self.stela("ls", store, "/team").stdout.split(), ["deep", "none"])
                self.stela("export", self.store, "/team", out / "only")
                self.assertTrue((out / "only/deep/t.arrow").is_file())
        self.stela("export", self.store, "/team/deep/t", self.folder / "columns")
        self.stela("import", self.store, "/again", self.folder / "columns")
        self.mount()
        for name in self.names("team/deep/t"):
            self.assertEqual((self.mnt / "again" / name).read_bytes(), (self.mnt / "team/deep/t" / name).read_bytes(), name)

    def test_progress_on_a_terminal(self):
        """Rate and time left, while a pipe that is emptied slowly takes the table."""
        self.make_dataset("t", a=numpy.random.default_rng(4).integers(0, 10**12, 1_000_000))
        os.mkfifo(self.folder / "out.csv")
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        process = subprocess.Popen([STELA, "export", str(self.store), "/t", str(self.folder / "out.csv")], stdout=theirs,
                                   stderr=theirs, stdin=subprocess.DEVNULL)
        os.close(theirs)
        said = []

        def listen():
            try:
                while piece := os.read(ours, 4096):
                    said.append(piece.decode(errors="replace"))
            except OSError:
                pass  # the other end is closed

        listener = threading.Thread(target=listen)
        listener.start()
        pattern = re.compile(r"exporting /t  \d+%  [0-9.]+ [KM]iB/s  \d+:\d\d left")
        received = 0
        with open(self.folder / "out.csv", "rb", buffering=0) as pipe:
            while piece := pipe.read(1 << 16):
                received += len(piece)
                if not pattern.search("".join(said)):
                    listener.join(0.01)  # a slow reader
        self.assertEqual(process.wait(30), 0)
        listener.join(10)
        self.assertRegex("".join(said), pattern)
        self.assertEqual(received, os.stat(self.mnt / "t/.table.csv").st_size)


if __name__ == "__main__":
    unittest.main()

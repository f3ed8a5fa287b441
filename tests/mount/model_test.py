"""Random histories of everything a person does to datasets, through a real mount, beside a model in plain dicts. The
daemon is restarted, or killed, in between. STELA_MODEL_OPERATIONS is how many (500; 150 of a slow build), STELA_MODEL_SEED where to begin."""
import copy
import csv
import errno
import io
import json
import os
import random
import shutil
import subprocess
import sys
import unittest

import numpy

from mounted_store import SECONDS_MAX, MountCase, npy

OPERATIONS = int(os.environ.get("STELA_MODEL_OPERATIONS", 500 if SECONDS_MAX <= 60 else 150))
SEED = int(os.environ.get("STELA_MODEL_SEED", "20131231"))
DATASETS, COLUMNS, TAGS = ("a", "b", "c"), ("i", "j", "f", "g", "s", "t"), ("v1", "v2")
DTYPES = {"int64": numpy.int64, "float64": numpy.float64}
WORDS = ("", "x", "NA", "null", 'quo"te', "comma,", "two\nlines", "true", "007", "Zürich", "\\N", " y ")


def kind_of(name):
    return "int64" if name in "ij" else "float64" if name in "fg" else "utf8"


class Version:
    def __init__(self, rows=0, columns=None):
        self.rows, self.columns = rows, columns or {}  # name -> (type, values)


class Dataset:
    def __init__(self):
        self.versions, self.tags = [], {}

    def head(self):
        return self.versions[-1] if self.versions else Version()

    def commit(self, rows, columns):
        self.versions.append(Version(rows, columns))


class Model(MountCase):
    SECONDS_MAX = SECONDS_MAX + OPERATIONS // 10

    def setUp(self):
        super().setUp()
        self.datasets, self.random, self.doing, self.receipt = {}, random.Random(SEED), "", 0

    # ---- values

    def value(self, kind):
        if kind == "int64":
            return self.random.choice((0, -1, 2**63 - 1, -2**63, self.random.randrange(1000)))
        if kind == "float64":
            return self.random.choice((0.5, -0.25, 1e300, 5e-324, self.random.random()))
        return self.random.choice(WORDS)

    def values(self, kind, rows, nulls=True):
        return [None if nulls and self.random.random() < 0.2 else self.value(kind) for _ in range(rows)]

    def array(self, kind, values):
        fill = float("nan") if kind == "float64" else 0
        return numpy.array([fill if value is None else value for value in values], DTYPES[kind])

    # ---- operations; each applies itself to the mount, then to the model

    def do_append(self, name, dataset):
        head = dataset.head()
        rows = self.random.choice((1, 2, 5, 40))
        if head.columns:
            kinds = {column: kind for column, (kind, _) in head.columns.items()}
        else:
            kinds = {column: kind_of(column) for column in self.random.sample(COLUMNS, self.random.randrange(1, 4))}
        fresh = {column: self.values(kind, rows) for column, kind in kinds.items()}
        if not head.columns:
            for column, kind in kinds.items():  # a first value says its type, and no text looks like another one
                fresh[column][0] = {"int64": 7, "float64": 0.5, "utf8": "word"}[kind]
        lone = len(kinds) == 1
        form = self.random.choice(("csv", "tsv", "jsonl", "csv") if head.columns or not lone else ("csv", "jsonl"))
        self.receipt += 1
        self.append(name, f"rows{self.receipt}.{form}", self.text(form, fresh, rows))
        old = head.columns or {column: (kind, []) for column, kind in kinds.items()}
        dataset.commit((head.rows if head.columns else 0) + rows,
                       {column: (kind, values + fresh[column]) for column, (kind, values) in old.items()})

    def text(self, form, columns, rows):
        if form == "jsonl":
            return "".join(json.dumps({name: values[row] for name, values in columns.items()}) + "\n" for row in range(rows))
        out = io.StringIO()
        delimiter = "\t" if form == "tsv" else ","
        writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
        writer.writerow(columns)
        for row in range(rows):  # csv.writer does not tell null from empty text
            fields = []
            for values in columns.values():
                value = values[row]
                quoted = isinstance(value, str) and (value == "" or any(c in value for c in '",\t\n'))
                fields.append("" if value is None else '"' + value.replace('"', '""') + '"' if quoted else
                              value if isinstance(value, str) else repr(value))
            out.write(delimiter.join(fields) + "\n")
        return out.getvalue()

    def do_column(self, name, dataset):
        head = dataset.head()
        column = self.random.choice([one for one in COLUMNS if kind_of(one) != "utf8" and head.columns.get(one, ("",))[0] != "utf8"] or ["n"])
        kind = self.random.choice(tuple(DTYPES))
        rows = head.rows if head.columns else self.random.choice((1, 3, 30))
        values = self.values(kind, rows, nulls=False)
        self.write(self.mnt / name / f"{column}.npy", npy(self.array(kind, values)))
        dataset.commit(rows, {**head.columns, column: (kind, values)})

    def do_nulls(self, name, dataset):
        head = dataset.head()
        numbers = [column for column, (kind, _) in head.columns.items() if kind != "utf8"]
        if not numbers or head.rows == 0:
            return
        column = self.random.choice(numbers)
        kind, values = head.columns[column]
        mask = [value is not None and self.random.random() < 0.7 for value in values]
        if mask == [value is not None for value in values]:
            return
        # Another process: this one's next np.save of the column would keep the nulls (docs/views.md).
        subprocess.run(["dd", f"of={self.mnt / name / column}.valid.npy", "status=none"], input=npy(numpy.array(mask)), check=True,
                       timeout=20)
        dataset.commit(head.rows, {**head.columns, column: (kind, [v if m else None for v, m in zip(values, mask)])})

    def do_change(self, name, dataset):
        """Cells in place: a mapping, or pwrite."""
        head = dataset.head()
        numbers = [column for column, (kind, _) in head.columns.items() if kind != "utf8"]
        if not numbers or head.rows == 0:
            return
        column = self.random.choice(numbers)
        kind, values = head.columns[column]
        now, path = list(values), self.mnt / name / f"{column}.npy"
        rows = self.random.sample(range(head.rows), self.random.randrange(1, min(head.rows, 9) + 1))
        fresh = {row: self.value(kind) for row in rows}
        if self.random.random() < 0.5:
            mapped = numpy.load(path, mmap_mode="r+")
            for row, value in fresh.items():
                mapped[row] = value
            mapped.flush()
            del mapped
        else:
            file = os.open(path, os.O_RDWR)
            for row, value in fresh.items():
                os.pwrite(file, self.array(kind, [value]).tobytes(), 128 + 8 * row)
            os.close(file)
        for row, value in fresh.items():
            if values[row] is not None or self.array(kind, [None]).tobytes() != self.array(kind, [value]).tobytes():
                now[row] = value
        if now != values:
            dataset.commit(head.rows, {**head.columns, column: (kind, now)})

    def do_restore(self, name, dataset):
        if len(dataset.versions) < 2:
            return
        number = self.random.randrange(1, len(dataset.versions))
        wanted, head = dataset.versions[number - 1], dataset.head()
        if wanted.rows == head.rows and wanted.columns == head.columns:
            return  # the same values may be those of other rows or columns, which only the store knows
        self.stela("restore", self.store, f"/{name}", "--to", number)
        dataset.commit(wanted.rows, wanted.columns)

    def listed(self, column, kind):
        return f"{column}.{'arrow' if kind == 'utf8' else 'npy'}"

    def do_drop(self, name, dataset):
        head = dataset.head()
        if not head.columns:
            return
        column = self.random.choice(sorted(head.columns))
        os.unlink(self.mnt / name / self.listed(column, head.columns[column][0]))
        dataset.commit(head.rows, {one: what for one, what in head.columns.items() if one != column})

    def do_rename(self, name, dataset):
        head = dataset.head()
        if not head.columns:
            return
        column = self.random.choice(sorted(head.columns))
        kind, _ = head.columns[column]
        to = self.random.choice([one for one in COLUMNS if one != column and
                                 (one not in head.columns or (head.columns[one][0] == "utf8") == (kind == "utf8"))] or [column])
        if to == column:
            return
        os.rename(self.mnt / name / self.listed(column, kind), self.mnt / name / self.listed(to, kind))
        columns = dict(head.columns)
        columns[to] = columns.pop(column)
        dataset.commit(head.rows, columns)

    def do_transaction(self, name, dataset):
        """Some changes that are seen inside only, of one dataset or of all; then one version of each, or none."""
        spans = self.random.random() < 0.4
        folder = self.mnt / (".stela/tx/job" if spans else f"{name}/.tx/job")
        own = {one: Dataset() for one in (self.datasets if spans else (name,))}
        for one, copied in own.items():
            copied.versions = list(self.datasets[one].versions)
        folder.mkdir()
        for _ in range(self.random.randrange(1, 6 if spans else 5)):
            one = self.random.choice(sorted(own))
            act = self.random.choice((self.do_append, self.do_column, self.do_nulls, self.do_change, self.do_drop, self.do_rename))
            self.doing += f", {act.__name__} of {one}"
            inside = f".stela/tx/job/{one}" if spans else f"{name}/.tx/job"
            act(inside, own[one])
            if own[one].versions:
                self.check_version(self.mnt / inside, own[one].head())
        for one in own:
            if self.datasets[one].versions:
                self.check_version(self.mnt / one, self.datasets[one].head())
        self.assertEqual((folder / ".check").read_text(), "ok\n", self.doing)
        if self.random.random() < 0.3:
            folder.rmdir()
            return
        self.write(folder / ".commit", "all of it\n", 0)
        for one, changed in own.items():
            if len(changed.versions) > len(self.datasets[one].versions):
                self.datasets[one].versions.append(changed.head())
            self.check(one)

    def do_tag(self, name, dataset):
        if not dataset.versions:
            return
        tag, tags = self.random.choice(TAGS), self.mnt / name / ".tags"
        if tag in dataset.tags:
            other = next(one for one in TAGS if one != tag)
            if other not in dataset.tags and self.random.random() < 0.5:
                os.rename(tags / tag, tags / other)
                dataset.tags[other] = dataset.tags.pop(tag)
            else:
                os.unlink(tags / tag)
                del dataset.tags[tag]
            return
        version = self.random.randrange(1, len(dataset.versions) + 1)
        os.symlink(f"../.versions/{version}", tags / tag)
        dataset.tags[tag] = version

    def do_move(self, name, dataset):
        free = [one for one in DATASETS if one not in self.datasets]
        if not free:
            return
        to = self.random.choice(free)
        os.rename(self.mnt / name, self.mnt / to)
        self.datasets[to] = self.datasets.pop(name)

    def do_remove(self, name, dataset):
        shutil.rmtree(self.mnt / name)
        del self.datasets[name]

    def do_refused(self, name, dataset):
        head = dataset.head()
        if not head.columns:
            return
        with self.refused(errno.EINVAL):
            if self.random.random() < 0.5:
                self.append(name, "bad.csv", ",".join(head.columns) + "\n" + "1," * len(head.columns) + "1\n")
            else:
                self.write(self.mnt / name / "n.npy", npy(numpy.zeros(head.rows + 1)))

    def do_read_only(self, name, dataset):
        if dataset.versions:
            with self.refused(errno.EROFS):
                self.write(self.mnt / name / ".versions/1/n.npy", b"")

    def do_restart(self, name, dataset):
        if self.random.random() < 0.5:
            self.end_daemon(9)
        else:
            self.umount()
        self.mount()

    # ---- what the mount shows

    def check_version(self, folder, version):
        wanted = []
        for column, (kind, values) in version.columns.items():
            wanted.append(self.listed(column, kind))
            if kind != "utf8" and None in values:
                wanted.append(f"{column}.valid.npy")
        self.assertEqual(sorted(os.listdir(folder)), sorted(wanted), self.doing)
        if not version.columns:
            return
        column = self.random.choice(sorted(version.columns))
        kind, values = version.columns[column]
        if kind == "utf8" or self.random.random() < 0.3:
            with open(folder / f"{column}.csv", newline="") as file:
                text = file.read()
            self.assertEqual(text.partition("\n")[2], self.text("csv", {column: values}, len(values)).partition("\n")[2]
                             if kind == "utf8" else text.partition("\n")[2], self.doing)
        if kind != "utf8":
            array = numpy.load(folder / f"{column}.npy")
            self.assertEqual(array.dtype, DTYPES[kind], self.doing)
            self.assertEqual(array.tobytes(), self.array(kind, values).tobytes(), self.doing)
            self.assertEqual(numpy.load(folder / f"{column}.valid.npy").tolist(), [v is not None for v in values], self.doing)

    def check(self, name):
        dataset = self.datasets[name]
        folder = self.mnt / name
        if not dataset.versions:
            return
        self.assertEqual(os.readlink(folder / ".versions/latest"), str(len(dataset.versions)), self.doing)
        self.assertEqual({tag: int(os.readlink(folder / ".tags" / tag).rpartition("/")[2]) for tag in os.listdir(folder / ".tags")},
                         dataset.tags, self.doing)
        self.check_version(folder, dataset.head())
        number = self.random.randrange(1, len(dataset.versions) + 1)
        self.check_version(folder / ".versions" / str(number), dataset.versions[number - 1])

    def test_random_histories(self):
        acts = [(self.do_append, 30), (self.do_column, 14), (self.do_nulls, 8), (self.do_change, 14), (self.do_restore, 4), (self.do_transaction, 8), (self.do_drop, 6), (self.do_rename, 8),
                (self.do_tag, 8), (self.do_move, 3), (self.do_remove, 1), (self.do_refused, 5), (self.do_read_only, 2), (self.do_restart, 1)]
        done = {}
        for number in range(OPERATIONS):
            name = self.random.choice(DATASETS)
            if name not in self.datasets:
                (self.mnt / name).mkdir()
                self.datasets[name] = Dataset()
            (act,) = self.random.choices([one for one, _ in acts], [weight for _, weight in acts])
            self.doing = f"seed {SEED}, operation {number}: {act.__name__} of {name}"
            if os.environ.get("STELA_MODEL_TRACE"):
                print(self.doing, {c: (k, v[:5], len(v)) for c, (k, v) in self.datasets[name].head().columns.items()}, file=sys.stderr)
            before = copy.copy(self.datasets)
            try:
                act(name, self.datasets[name])
            except OSError as error:
                raise AssertionError(f"{self.doing}: {error}") from error
            done[act.__name__] = done.get(act.__name__, 0) + 1
            for one in (name, *(self.datasets.keys() - before.keys())):
                if one in self.datasets:
                    self.check(one)
            if act == self.do_restart:
                self.assertEqual(self.names(), sorted(self.datasets))
                for one in self.datasets:
                    self.check(one)
        print(f"{OPERATIONS} operations: {done}", file=sys.stderr)
        self.stela("check", self.mnt)


if __name__ == "__main__":
    unittest.main()

"""Types stated beforehand: .schema.json written to an empty dataset, and what later files make of it."""
import errno
import json
import os
import shutil
import unittest

import numpy

from mounted_store import MountCase, npy

STATED = {"columns": [{"name": "id", "type": "int32", "nullable": False}, {"name": "price", "type": "decimal128(8,2)"},
                      {"name": "at", "type": "timestamp[ms, Europe/Berlin]"}, {"name": "v", "type": "float32[2]"},
                      {"name": "n", "type": "utf8"}]}


class StatedTypes(MountCase):
    def setUp(self):
        super().setUp()
        (self.mnt / "t").mkdir()
        self.path = self.mnt / "t/.schema.json"

    def state(self, schema=None):
        self.write(self.path, json.dumps(schema or STATED))

    def stated(self, dataset="t"):
        columns = json.loads((self.mnt / dataset / ".schema.json").read_text())["columns"]
        return [(one["name"], one["type"], one["nullable"]) for one in columns]

    def test_it_makes_version_1_without_rows(self):
        self.assertFalse(self.path.exists())
        self.state()
        self.assertEqual(self.version("t"), 1)
        self.assertEqual(self.stated(), [("id", "int32", False), ("price", "decimal128(8,2)", True),
                                         ("at", "timestamp[ms, Europe/Berlin]", True), ("v", "float32[2]", True),
                                         ("n", "utf8", True)])
        self.assertEqual(self.names("t"), ["at.npy", "id.npy", "n.arrow", "price.arrow", "v.npy"])
        self.assertEqual(self.load("t/v.npy").shape, (0, 2))

    def test_one_dataset_gives_its_types_to_another(self):
        self.state()
        for number, command in enumerate(("cp", "cp -p", "cat <", "rsync -t", "install -m 444")):
            name = f"c{number}"
            (self.mnt / name).mkdir()
            if command.startswith("rsync") and not shutil.which("rsync"):
                continue
            script = f"{command} mnt/t/.schema.json " + ("> " if command == "cat <" else "") + f"mnt/{name}/.schema.json"
            with self.subTest(command):
                self.shell(script)
                self.assertEqual(self.stated(name), self.stated())

    def test_later_files_obey_the_types(self):
        self.state()
        self.append("t", "x.csv", 'n,id,price,at,v\n007,1,12.5,2020-01-01T00:00:00Z,"[1,2]"\n')
        self.append("t", "x.jsonl", '{"id":2,"price":"3.14","n":"5","v":["NaN",1],"at":"2020-01-01T00:00:00+01:00"}\n')
        self.assertEqual(self.load("t/id.npy").tolist(), [1, 2])
        self.assertEqual(self.load("t/id.npy").dtype, numpy.int32)
        self.assertEqual((self.mnt / "t/n.txt").read_text(), "007\n5\n")
        self.assertEqual((self.mnt / "t/price.txt").read_text(), "12.50\n3.14\n")
        for name, data, words in (("bad.csv", "n,id,price,at,v\n,2147483648,,,\n", ("bad.csv:2", "'id'", "int32")),
                                  ("bad.csv", "n,id,price,at,v\n,1,1.234,,\n", ("bad.csv:2", "'price'", "1.234")),
                                  ("bad.csv", "n,id,price,at,v\n,1,,,\nx,,1,,\n", ("bad.csv:3", "'id'", "null")),
                                  ("bad.jsonl", '{"id":null,"n":"","price":1,"v":null,"at":null}\n', ("bad.jsonl:1", "'id'", "null"))):
            with self.subTest(data):
                path = self.mnt / "t/.append" / name
                with self.refused(errno.EINVAL):
                    self.write(path, data)
                for word in words:
                    self.assertIn(word, self.sentence(path))
                os.unlink(path)
        self.assertEqual(self.version("t"), 3)

    def test_refusals(self):
        for text, word in (("{", "not JSON"), ('{"columns": [{"name": "x", "type": "int46"}]}', "column 1: 'x'"),
                           ('{"columns": []}', "no columns"), ('{"a": 1}', "'a'")):
            with self.subTest(text):
                with self.refused(errno.EINVAL):
                    self.write(self.path, text)
                self.assertIn(word, self.sentence(self.path))
                with self.refused(errno.EINVAL):
                    self.path.read_bytes()
        os.unlink(self.path)
        self.assertFalse(self.path.exists())
        self.state()
        self.assertEqual(self.version("t"), 1)

    def test_a_dataset_that_has_types_keeps_them(self):
        self.append("t", "x.csv", "a\n1\n")
        with self.refused(errno.EPERM):
            self.state()
        self.assertEqual(self.stated(), [("a", "int64", True)])
        with self.refused(errno.EROFS):
            self.write(self.mnt / "t/.versions/1/.schema.json", "{}")

    def test_an_atomic_saver(self):
        self.write(self.mnt / "t/.schema.json.tmp", json.dumps(STATED))
        os.rename(self.mnt / "t/.schema.json.tmp", self.path)
        self.assertEqual(self.version("t"), 1)
        self.assertFalse((self.mnt / "t/.schema.json.tmp").exists())

    def test_it_stays_after_a_restart(self):
        self.state()
        self.umount()
        self.mount()
        self.assertEqual(len(self.stated()), 5)

    def test_a_folder_of_columns_comes_in_after_its_schema(self):
        """numpy cannot say zones and times of day: a folder's files are of these types when the schema came first."""
        self.write(self.path, json.dumps({"columns": [
            {"name": "id", "type": "int32", "nullable": False}, {"name": "at", "type": "timestamp[ms, Europe/Berlin]"},
            {"name": "noon", "type": "time[us]"}, {"name": "took", "type": "duration[s]"}, {"name": "n", "type": "utf8"},
            {"name": "yes", "type": "bool"}, {"name": "day", "type": "date"}, {"name": "price", "type": "decimal128(8,2)"}]}))
        row = ('{"id":%d,"at":%s,"noon":%s,"took":"PT5S","n":%s,"yes":%s,"day":"2020-02-29","price":"1.50"}\n')
        for rows in (4, 20_000):
            text = "".join(row % (i, "null" if i % 4 == 1 else '"2020-01-01T00:00:00Z"',
                                  "null" if i % 4 == 2 else '"12:30:00.000001"', '""' if i % 2 else "null",
                                  "null" if i % 4 == 3 else "true") for i in range(rows))
            self.append("t", f"x{rows}.jsonl", text)
            wanted = (self.mnt / "t/.table.jsonl").read_bytes()
            types = [(name, kind) for name, kind, _ in self.stated()]
            for number, copy in enumerate(("cp -r {}/. {}", "cp -a {}/. {}", "rsync -a {}/ {}",
                                           "tar -C {} -cf - . | tar -C {} -xf -",
                                           "tar -C {} -cf - $(cd {}; ls -r) | tar -C {} -xf -")):
                name, out = f"c{rows}.{number}", self.folder / f"out{rows}.{number}"
                out.mkdir()
                (self.mnt / name).mkdir()
                with self.subTest(copy, rows=rows):
                    every = (self.mnt / "t", out, self.mnt / name)
                    places = lambda source, target: (source, source, target) if "ls -r" in copy else (source, target)
                    self.shell(copy.format(*places(every[0], every[1])))
                    shutil.copyfile(self.path, self.mnt / name / ".schema.json")
                    self.shell(copy.format(*places(every[1], every[2])))
                    self.assertEqual(sorted((one, kind) for one, kind, _ in self.stated(name)), sorted(types))
                    lines = [json.loads(line) for line in (self.mnt / name / ".table.jsonl").read_text().splitlines()]
                    self.assertEqual(lines, [json.loads(line) for line in wanted.decode().splitlines()])

            with self.subTest("export and import", rows=rows):
                out, name = self.folder / f"exported{rows}", f"/i{rows}"
                self.stela("export", self.store, "/t", out)
                for _ in range(2):  # and over what is there
                    self.stela("import", self.store, name, out)
                    self.assertEqual(sorted((one, kind) for one, kind, _ in self.stated(name[1:])), sorted(types))
                    lines = [json.loads(line) for line in (self.mnt / name[1:] / ".table.jsonl").read_text().splitlines()]
                    self.assertEqual(lines, [json.loads(line) for line in wanted.decode().splitlines()])
        refused = self.stela("import", self.store, "/t/.schema.json", out / ".schema.json", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("has its types already", refused.stderr)

    def test_a_column_gives_an_empty_dataset_its_rows(self):
        self.state()
        self.write(self.mnt / "t/at.npy", npy(numpy.array(["2020-01-01", "NaT"], "datetime64[ms]")))
        self.assertEqual(self.version("t"), 2)
        self.assertIn(("at", "timestamp[ms, Europe/Berlin]", True), self.stated())
        self.assertEqual(self.load("t/id.valid.npy").tolist(), [False, False])
        self.assertEqual(self.load("t/.versions/1/at.npy").shape, (0,))
        with self.refused(errno.EINVAL):
            self.write(self.mnt / "t/id.npy", npy(numpy.arange(3, dtype=numpy.int32)))
        self.write(self.mnt / "t/id.npy", npy(numpy.arange(2, dtype=numpy.int32)))
        self.umount()
        self.mount()
        self.assertEqual((self.mnt / "t/.table.csv").read_text(),
                         "price,v,n,at,id\n,,,2020-01-01T00:00:00Z,0\n,,,,1\n")


if __name__ == "__main__":
    unittest.main()

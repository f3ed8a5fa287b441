"""JSON lines through a real mount: as programs write them, as they come out, and what is refused."""
import errno
import json
import os
import unittest

import numpy
import pandas

from mounted_store import MountCase


class JsonLines(MountCase):
    def setUp(self):
        super().setUp()
        (self.mnt / "t").mkdir()

    def text(self, column):
        return (self.mnt / "t" / f"{column}.txt").read_text().split("\n")[:-1]

    def schema(self):
        return {one["name"]: one["type"] for one in json.loads((self.mnt / "t/.schema.json").read_text())["columns"]}

    def test_values_of_every_kind(self):
        lines = [{"i": 2**63 - 1, "u": 2**64 - 1, "f": 1.5, "b": True, "s": "ü\n😀", "d": "2020-02-29",
                  "t": "2020-01-01T00:00:00.5Z", "v": [1.5, 2], "n": None},
                 {"i": -2**63, "u": 0, "f": "NaN", "b": None, "s": "", "d": None, "t": None, "v": None, "n": None}]
        self.append("t", "x.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
        self.assertEqual(self.schema(), {"i": "int64", "u": "uint64", "f": "float64", "b": "bool", "s": "utf8", "d": "date",
                                         "t": "timestamp[us, UTC]", "v": "float64[2]", "n": "utf8"})
        self.assertEqual(self.load("t/i.npy").tolist(), [2**63 - 1, -2**63])
        self.assertEqual(self.load("t/u.npy").tolist(), [2**64 - 1, 0])
        self.assertTrue(numpy.isnan(self.load("t/f.npy")[1]))
        self.assertFalse((self.mnt / "t/f.valid.npy").name in self.names("t"))
        self.assertEqual(self.load("t/b.valid.npy").tolist(), [True, False])
        self.assertEqual(self.text("s"), ["ü\\n😀", ""])
        self.assertEqual(self.text("t"), ["2020-01-01T00:00:00.500Z", "\\N"])
        self.assertEqual(self.load("t/v.npy")[0].tolist(), [1.5, 2])
        self.assertEqual(self.text("n"), ["\\N", "\\N"])

    def test_pandas_to_json(self):
        frame = pandas.DataFrame({"a": [1, 2, 3], "b": [0.5, None, 2.0], "c": ["x", None, "z"]})
        frame.to_json(self.mnt / "t/.append/p.jsonl", orient="records", lines=True)
        frame.to_json(self.mnt / "t/.append/q.ndjson", orient="records", lines=True)
        self.assertEqual(self.load("t/a.npy").tolist(), [1, 2, 3] * 2)
        self.assertEqual(self.text("b"), ["0.5", "\\N", "2.0"] * 2)
        self.assertEqual(self.text("c"), ["x", "\\N", "z"] * 2)

    def test_each_fsync_commits_whole_lines(self):
        fd = os.open(self.mnt / "t/.append/s.jsonl", os.O_WRONLY | os.O_CREAT)
        os.write(fd, b'{"a":1}\n{"a":')
        os.fsync(fd)
        self.assertEqual(self.load("t/a.npy").tolist(), [1])
        os.write(fd, b"2}\n{\"a\":3}")
        os.close(fd)
        self.assertEqual(self.load("t/a.npy").tolist(), [1, 2, 3])
        self.shell("""echo '{"a":4}' >> mnt/t/.append/s.jsonl""")
        self.assertEqual(self.load("t/a.npy").tolist(), [1, 2, 3, 4])
        self.assertEqual(self.version("t"), 3)

    def test_refusals_change_nothing(self):
        self.append("t", "x.jsonl", '{"a":1,"b":"x"}\n')
        deep = '{"a":' + "[" * 10_000 + "]" * 10_000 + "}\n"
        for data, code, words in (
                ('{"a":2,"b":"y"}\n{"a":"x","b":"z"}\n', errno.EINVAL, ("bad.jsonl:2", "'a'", "'x'", "int64")),
                ('{"a":1,"a":2,"b":""}\n', errno.EINVAL, ("bad.jsonl:1", "'a'", "twice")),
                ('{"a":3,"b":"y"}\n{"a":1.5,"b":"y"}\n', errno.EINVAL, ("bad.jsonl:2", "'1.5'")),
                ('{"a":1,"c":"y"}\n', errno.EINVAL, ("bad.jsonl:1", "'c'", "extra=ignore")),
                ('{"a":1}\n', errno.EINVAL, ("'b'", "missing=null")),
                ('{"a":1,"b":{"c":1}}\n', errno.EINVAL, ("bad.jsonl:1", "'b'", "object")),
                ('{"a":1,\n', errno.EINVAL, ("bad.jsonl:1",)), (deep, errno.EINVAL, ("bad.jsonl:1", "'a'", "31")),
                ("\x00\x01\x02", errno.EINVAL, ("bad.jsonl:1",))):
            with self.subTest(data[:40]):
                path = self.mnt / "t/.append/bad.jsonl"
                with self.refused(code, errno.ENOTSUP):
                    self.write(path, data)
                for word in words:
                    self.assertIn(word, self.sentence(path))
                os.unlink(path)
                self.assertEqual(self.version("t"), 1)

    def test_options(self):
        self.append("t", "x.jsonl", '{"a":1,"b":"x"}\n')
        self.write(self.mnt / "t/.append/missing=null,extra=ignore,null=NA/y.jsonl", '{"b":"NA","c":3}\n')
        self.assertEqual(self.text("a"), ["1", "\\N"])
        self.assertEqual(self.text("b"), ["x", "\\N"])


if __name__ == "__main__":
    unittest.main()

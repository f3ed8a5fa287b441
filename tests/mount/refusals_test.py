"""Bad input: the errno, the sentence where it failed and in errors.ndjson, and nothing changed."""
import errno
import os
import struct
import unittest

import numpy

from mounted_store import MountCase, npy


def npy_file(header, data=b""):
    text = header.encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


class Refusals(MountCase):
    def setUp(self):
        super().setUp()
        (self.mnt / "t").mkdir()
        self.append("t", "first.csv", "a,b\n1,x\n2,y\n")
        self.before = self.picture()

    def picture(self):
        files = {name: (self.mnt / "t" / name).read_bytes() for name in self.names("t")}
        return self.version("t"), files, self.names()

    def check_refusal(self, path, act, code, *words):
        """`act` fails with `code`; the sentence holds all `words`, at the place and in the log; nothing changed."""
        with self.refused(code):
            act()
        sentence = self.sentence(path)
        for word in words:
            self.assertIn(word, sentence)
        last = self.errors()[-1]
        self.assertEqual(last["errno"], errno.errorcode[code])
        self.assertEqual(last["message"], sentence)
        self.assertEqual(self.picture(), self.before)

    def refuse_rows(self, data, code, *words, name="bad.csv"):
        path = self.mnt / "t/.append" / name
        self.check_refusal(path, lambda: self.write(path, data), code, *words)
        self.assertEqual(self.sentence(self.mnt / "t/.append"), self.sentence(path))
        with self.refused(code):  # reading the refused name says it again
            path.read_bytes()
        os.unlink(path)
        self.assertFalse(path.exists())
        self.write(self.mnt / "t/.append/good.csv", "a,b\n")  # a header alone: the box still works

    def test_rows_that_do_not_fit(self):
        for data, words in (("a,b\n3,z\n4\n", ("bad.csv:3", "1", "2")), ('a,b\n3,"z\n', ("bad.csv", "quote")),
                            ("a,b\nx,z\n", ("bad.csv:2", "a", "x")), (b"a,b\n3,\xff\xfe\n", ("bad.csv:2", "UTF-8")),
                            (b"a,b\n3,z\x00z\n", ("bad.csv:2", "NUL")), ("a,a\n1,2\n", ("bad.csv:1", "a")),
                            ("a,\n1,2\n", ("bad.csv:1",)), ("a\n1\n", ("b",)), ("a,b,c\n1,2,3\n", ("c",))):
            with self.subTest(data):
                self.refuse_rows(data if isinstance(data, bytes) else data.encode(), errno.EINVAL, *words)

    def test_a_field_over_the_limit(self):
        self.umount()
        self.mount("field_bytes=1KiB")
        self.refuse_rows(b"a,b\n1," + b"x" * 5000 + b"\n", errno.EFBIG, "bad.csv:2")

    def test_other_formats_come_later(self):
        for name in ("x.json", "x.parquet"):
            path = self.mnt / "t/.append" / name
            with self.subTest(name):
                with self.refused(errno.ENOTSUP):
                    self.write(path, b"{}")
        with self.refused(errno.EINVAL):
            self.write(self.mnt / "t/.append/x.frob", b"{}")

    def refuse_column(self, name, data, code, *words):
        path = self.mnt / "t" / name
        self.check_refusal(path, lambda: self.write(path, data), code, *words)
        os.unlink(path)

    def test_npy_files_that_lie(self):
        good = "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }"
        cases = {
            "wrong length": (npy(numpy.arange(3)), errno.EINVAL, ("3", "2")),
            "object": (npy_file("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }\n", b"x" * 16), errno.ENOTSUP, ("object",)),
            "lying shape": (npy_file(good.replace("(2,)", "(9999999999999,)") + "\n", b"x" * 16), errno.EINVAL, ()),
            "negative shape": (npy_file(good.replace("(2,)", "(-2,)") + "\n", b"x" * 16), errno.EINVAL, ()),
            "truncated header": (npy_file(good)[:20], errno.EINVAL, ()),
            "truncated data": (npy_file(good + "\n", b"x" * 9), errno.EINVAL, ("incomplete",)),
            "no npy": (b"hello world, this is text", errno.EINVAL, ()),
            "code in the header": (npy_file("__import__('os').system('false')\n", b"x" * 16), errno.EINVAL, ()),
        }
        for what, (data, code, words) in cases.items():
            with self.subTest(what):
                self.refuse_column("new.npy", data, code, *words)

    def test_an_oversized_header(self):
        data = b"\x93NUMPY\x02\x00" + struct.pack("<I", 0xfffffff0) + b" " * 1000
        with self.refused(errno.EINVAL, errno.EFBIG):
            self.write(self.mnt / "t/new.npy", data)
        self.assertEqual(self.picture(), self.before)

    def test_names_that_cannot_be(self):
        dataset = self.mnt / "t"
        cases = (
            (lambda: os.mkdir(self.mnt / "t"), errno.EEXIST),
            (lambda: os.mkdir(self.mnt / ("x" * 300)), errno.ENAMETOOLONG),
            (lambda: self.write(dataset / ("x" * 300 + ".npy"), b"x"), errno.ENAMETOOLONG),
            (lambda: os.mkdir(dataset / "inner"), errno.EINVAL),
            (lambda: self.write(self.mnt / "file.npy", b"x"), errno.EINVAL),
            (lambda: self.write(dataset / "x.csv", b"x"), errno.EINVAL),
            (lambda: self.write(dataset / "x.frob", b"x"), errno.EINVAL),
            (lambda: os.rename(dataset / "a.npy", dataset / "a.arrow"), errno.EINVAL),
            (lambda: os.truncate(dataset / "a.npy", 136), errno.EINVAL),
            (lambda: os.listdir(dataset / ".versions/99"), errno.ENOENT),
            (lambda: os.listdir(dataset / ".versions/x"), errno.ENOENT),
            (lambda: os.listdir(dataset / ".at/1970-01-01"), errno.ENOENT),
            (lambda: os.open(dataset / "a.arrow", os.O_RDWR), errno.ENOTSUP),
        )
        for number, (act, code) in enumerate(cases):
            with self.subTest(number):
                with self.refused(code):
                    act()
                if code != errno.EEXIST:  # the kernel's own answer: nobody is asked
                    self.assertEqual(self.errors()[-1]["errno"], errno.errorcode[code])
        self.assertEqual(self.picture(), self.before)

    def test_columns_do_not_cross_datasets(self):
        self.make_dataset("other", z=[1, 2])
        with self.refused(errno.EXDEV):
            os.rename(self.mnt / "other/z.npy", self.mnt / "t/z.npy")

    def test_a_lost_race_of_replacements_is_estale_with_the_winner(self):
        first = os.open(self.mnt / "t/a.npy", os.O_WRONLY | os.O_TRUNC)
        second = os.open(self.mnt / "t/a.npy", os.O_WRONLY | os.O_TRUNC)
        os.write(first, npy(numpy.array([5, 6])))
        os.write(second, npy(numpy.array([7, 8])))
        os.close(first)
        with self.refused(errno.ESTALE):
            os.close(second)
        self.assertEqual(self.load("t/a.npy").tolist(), [5, 6])


if __name__ == "__main__":
    unittest.main()

"""Rows of .npz files through a real mount: as numpy saves them, and what is refused."""
import errno
import io
import os
import struct
import unittest
import zipfile
import zlib

import numpy

from mounted_store import MountCase, npy


def zip_of(members, compression=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def bomb():
    """400 members of 4 MiB of zeros each; all are the same bytes, compressed once."""
    data = npy(numpy.zeros(1 << 22, "u1"))
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(data) + packer.flush()
    members, directory = b"", b""
    for number in range(400):
        name = f"m{number}.npy".encode()
        facts = struct.pack("<HHHIIIIHH", 20, 0, 8, 0, zlib.crc32(data), len(packed), len(data), len(name), 0)
        directory += b"PK\1\2" + struct.pack("<H", 20) + facts + struct.pack("<HHHII", 0, 0, 0, 0, len(members)) + name
        members += b"PK\3\4" + facts + name + packed
    return members + directory + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 400, 400, len(directory), len(members), 0)


class NpzFiles(MountCase):
    def setUp(self):
        super().setUp()
        (self.mnt / "t").mkdir()

    def test_savez_and_savez_compressed(self):
        arrays = {"i": numpy.array([1, -2**63, 2**63 - 1]), "f": numpy.array([0.5, numpy.nan, -0.0]),
                  "s": numpy.array(["x", "", "ü"]), "t": numpy.array(["2020-01-01", "NaT", "1969-12-31"], "M8[us]"),
                  "v": numpy.asfortranarray(numpy.arange(6, dtype="f4").reshape(3, 2)), "b": numpy.array([True, False, True]),
                  "big": numpy.array([1, 2, 3], ">i4")}
        numpy.savez(self.mnt / "t/.append/x.npz", **arrays)
        numpy.savez_compressed(self.mnt / "t/.append/y.npz", **arrays)
        for name in ("i", "f", "v", "b", "big", "t"):
            numpy.testing.assert_array_equal(self.load(f"t/{name}.npy"), numpy.concatenate([arrays[name]] * 2))
        self.assertEqual((self.mnt / "t/s.txt").read_text(), "x\n\nü\n" * 2)
        self.assertEqual((self.mnt / "t/t.txt").read_text().split("\n")[1], "\\N")
        self.assertEqual(self.version("t"), 2)

    def test_positional_arrays_are_named_as_numpy_names_them(self):
        numpy.savez(self.mnt / "t/.append/x.npz", numpy.arange(2), numpy.arange(2.0))
        self.assertEqual(self.names("t"), ["arr_0.npy", "arr_1.npy"])

    def test_many_rows(self):
        rows = 300_000
        numpy.savez_compressed(self.mnt / "t/.append/x.npz", a=numpy.arange(rows), b=numpy.arange(rows) * 0.5)
        numpy.testing.assert_array_equal(self.load("t/a.npy"), numpy.arange(rows))
        numpy.testing.assert_array_equal(self.load("t/b.npy"), numpy.arange(rows) * 0.5)

    def test_refusals_change_nothing(self):
        self.append("t", "first.csv", "a\n1\n")
        good, two = npy(numpy.arange(2)), npy(numpy.arange(2.5))
        broken = bytearray(zip_of({"a.npy": good}))
        broken[broken.index(b"PK\1\2") - 1] ^= 1
        cases = {
            "no zip": (b"hello", errno.EINVAL, "does not begin as a zip file"),
            "cut": (zip_of({"a.npy": good})[:-30], errno.EINVAL, "incomplete"),
            "lengths": (zip_of({"a.npy": good, "b.npy": two}), errno.EINVAL, "one length"),
            "a text": (zip_of({"a.npy": good, "x.txt": "x"}), errno.EINVAL, "'x.txt'"),
            "object": (zip_of({"a.npy": good.replace(b"<i8", b"|O ")}), errno.ENOTSUP, "object"),
            "bzip2": (zip_of({"a.npy": good}, zipfile.ZIP_BZIP2), errno.ENOTSUP, "method 12"),
            "another column": (zip_of({"b.npy": good}), errno.EINVAL, "'b'"),
            "a bomb": (bomb(), errno.EFBIG, "bomb"),
            "a changed byte": (bytes(broken), errno.EINVAL, "contradicts itself"),
        }
        for what, (data, code, word) in cases.items():
            with self.subTest(what):
                path = self.mnt / "t/.append/bad.npz"
                with self.refused(code):
                    self.write(path, data)
                self.assertIn(word, self.sentence(path))
                os.unlink(path)
                self.assertEqual(self.version("t"), 1)


if __name__ == "__main__":
    unittest.main()

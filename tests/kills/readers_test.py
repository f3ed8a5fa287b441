"""Readers outlive the daemon: what the kernel serves goes on through its death and restart, everything else ends with a
clean error, and mounting again over the remains heals."""
import errno
import mmap
import os
import pathlib
import sys
import unittest

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "mount"))
from mounted_store import MountCase  # noqa: E402

VALUES = numpy.arange(1 << 18, dtype=numpy.float64)  # 2 MiB: a flat file
CLEAN = (errno.ENOTCONN, errno.ECONNABORTED, errno.EIO)


class ReadersSurvive(MountCase):
    def setUp(self):
        super().setUp()
        self.make_dataset("t", v=VALUES)
        self.append("t", "more.csv", "v\n1.5\n")  # in pages and in memory from here on
        (self.mnt / "u").mkdir()
        numpy.save(self.mnt / "u/v.npy", VALUES)
        self.bytes = (self.mnt / "u/v.npy").read_bytes()

    def test_handles_and_mappings(self):
        flat = os.open(self.mnt / "u/v.npy", os.O_RDONLY)
        self.addCleanup(os.close, flat)
        self.served = os.getxattr(self.mnt / "u/v.npy", "user.stela.served")
        mapped = mmap.mmap(flat, 0, prot=mmap.PROT_READ)
        self.addCleanup(mapped.close)
        other = os.open(self.mnt / "t/v.csv", os.O_RDONLY)
        self.addCleanup(os.close, other)
        self.assertEqual(os.pread(flat, 200, 0), self.bytes[:200])
        self.assertEqual(mapped[:100], self.bytes[:100])
        self.end_daemon(9)
        self.check(flat, mapped, "after its death")
        with self.refused(*CLEAN):
            os.pread(other, 100, 1 << 20)
        with self.refused(*CLEAN):
            os.listdir(self.mnt)
        self.mount()
        self.check(flat, mapped, "after its restart")
        with self.refused(*CLEAN):
            os.pread(other, 100, 1 << 20)
        self.assertEqual((self.mnt / "u/v.npy").read_bytes(), self.bytes)
        self.assertEqual(len(self.load("t/v.npy")), len(VALUES) + 1)

    def check(self, flat, mapped, when):
        """Right bytes; where the kernel does not serve the file itself, right bytes that it has cached or a clean error."""
        for at in (0, 4096, len(self.bytes) - 100):
            try:
                self.assertEqual(os.pread(flat, 100, at), self.bytes[at:at + 100], when)
            except OSError as error:
                self.assertNotEqual(self.served, b"passthrough", error)
                self.assertIn(error.errno, CLEAN)
            if self.served == b"passthrough":  # else a page that is not there is SIGBUS
                self.assertEqual(mapped[at:at + 100], self.bytes[at:at + 100], when)


if __name__ == "__main__":
    unittest.main()

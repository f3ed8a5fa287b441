"""A full disk under the store: what is refused says so, nothing half done is left, removals still work, and with space
all is as before."""
import errno
import os
import subprocess
import unittest

import numpy

from mounted_store import MountCase, npy, wait_until

DISK = 64 << 20


@unittest.skipUnless(os.geteuid() == 0, "needs kernel permission to mount a small tmpfs")
class DiskFull(MountCase):
    MOUNTED = False

    def setUp(self):
        super().setUp()
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "none", str(self.disk)], check=True, timeout=20)
        self.addCleanup(lambda: subprocess.run(["umount", "-l", str(self.disk)], check=False, timeout=20))
        self.addCleanup(lambda: self.stela("umount", self.mnt, check=False))
        self.store = self.disk / "store"
        self.mount()
        self.make_dataset("t", a=numpy.arange(1000))
        self.append("t", "one.csv", "a\n1000\n")

    def fill(self):
        with open(self.disk / "filler", "ab", buffering=0) as filler:
            for size in (1 << 20, 4096):
                try:
                    while True:
                        filler.write(b"\0" * size)
                except OSError as error:
                    self.assertEqual(error.errno, errno.ENOSPC)

    def rows(self):
        return self.load("t/a.npy").tolist()

    def test_an_append_that_does_not_fit_leaves_nothing(self):
        before, version = self.rows(), self.version("t")
        lines = b"a\n" + b"".join(b"%d\n" % (n << 30) for n in range(8_000_000))
        path = self.mnt / "t/.append/big.csv"
        with self.refused(errno.ENOSPC):
            self.write(path, lines)
        self.assertIn("full", self.sentence(path) + self.sentence(self.mnt / "t/.append"))
        self.assertTrue(any(line["errno"] == "ENOSPC" for line in self.errors()))
        self.assertEqual((self.rows(), self.version("t")), (before, version))
        os.unlink(path)
        wait_until(lambda: os.statvfs(self.disk).f_bavail * 4096 > DISK // 4, "the spool's space comes back")
        self.append("t", "small.csv", "a\n7\n")
        self.assertEqual(self.rows(), before + [7])

    def test_a_column_that_does_not_fit_leaves_nothing(self):
        self.make_dataset("wide", x=numpy.zeros(1000))
        with self.refused(errno.ENOSPC):
            self.write(self.mnt / "wide/y.npy", npy(numpy.random.default_rng(1).random(12_000_000)))
        self.assertEqual(self.names("wide"), ["x.npy"])
        self.assertEqual(self.version("wide"), 1)

    def test_removals_work_on_a_full_disk_and_space_makes_it_writable_again(self):
        self.make_dataset("other", x=numpy.arange(10))
        self.fill()
        acknowledged = self.rows()
        refused = None
        for n in range(20_000):  # until the log has no segment left
            try:
                self.append("t", "more.csv", f"a\n{n}\n")
                acknowledged.append(n)
            except OSError as error:
                refused = error.errno
                break
        self.assertEqual(refused, errno.ENOSPC)
        self.assertEqual(self.rows(), acknowledged)
        os.unlink(self.mnt / "other/x.npy")
        self.assertEqual(self.names("other"), [])
        os.unlink(self.disk / "filler")

        def can_write():
            try:
                self.append("t", "again.csv", "a\n-1\n")
                return True
            except OSError as error:
                self.assertEqual(error.errno, errno.ENOSPC)
                return False

        wait_until(can_write, "the store is writable again")
        self.assertEqual(self.rows(), acknowledged + [-1])
        self.umount()
        self.mount()
        self.assertEqual(self.rows(), acknowledged + [-1])
        self.assertEqual(self.names("other"), [])


if __name__ == "__main__":
    unittest.main()

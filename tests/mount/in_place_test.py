"""Columns changed in place through a mount: pwrite, dd conv=notrunc, mappings of numpy; nulls; conflicts."""
import errno
import json
import mmap
import os
import signal
import subprocess
import sys
import textwrap

import numpy

from mounted_store import MountCase, wait_until

HEADER = 128


class InPlace(MountCase):
    def make_long(self, rows=300_000):
        """trips/fare.npy, a flat file of 2.4 MB."""
        values = numpy.arange(rows, dtype=float)
        self.make_dataset(fare=values)
        return values

    def python(self, script, *arguments, check=True):
        """In a process of its own, which ends as scripts do: nothing is closed by hand."""
        return subprocess.run([sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)], check=check,
                              timeout=30, capture_output=True, text=True)

    def test_a_mapping_commits_at_msync(self):
        values = self.make_long()
        old = numpy.load(self.mnt / "trips/fare.npy", mmap_mode="r")
        inode = os.stat(self.mnt / "trips/fare.npy").st_ino
        mapped = numpy.load(self.mnt / "trips/fare.npy", mmap_mode="r+")
        mapped[7] = -7
        mapped[299_999] = -1
        self.assertEqual(self.load("trips/fare.npy")[7], 7)
        mapped.flush()
        self.assertEqual(self.version(), 2)
        changed = values.copy()
        changed[[7, 299_999]] = -7, -1
        numpy.testing.assert_array_equal(self.load("trips/fare.npy"), changed)
        numpy.testing.assert_array_equal(numpy.asarray(old), values)
        numpy.testing.assert_array_equal(self.load("trips/.versions/1/fare.npy"), values)
        self.assertNotEqual(os.stat(self.mnt / "trips/fare.npy").st_ino, inode)
        mapped[8] = -8
        mapped.flush()
        del mapped
        self.assertEqual(self.version(), 3)
        self.assertEqual(self.load("trips/fare.npy")[6:10].tolist(), [6, -7, -8, 9])
        self.assertEqual(json.loads((self.mnt / "trips/.commit.json").read_text())["operation"], "update")

    def test_ten_cells_of_many_are_ten_cells_in_the_store(self):
        self.make_long()
        before = sum(file.stat().st_size for file in self.store.joinpath("data").rglob("*.*"))
        mapped = numpy.load(self.mnt / "trips/fare.npy", mmap_mode="r+")
        mapped[::30_000] = -1
        mapped.flush()
        del mapped
        after = sum(file.stat().st_size for file in self.store.joinpath("data").rglob("*.*"))
        self.assertEqual(before, after)
        log = self.stela("log", self.store, "/trips", "--json").stdout.splitlines()
        self.assertLess(json.loads(log[0])["bytes_added"], 1000)
        self.assertEqual((self.load("trips/fare.npy") == -1).sum(), 10)

    def test_a_mapping_commits_when_it_ends(self):
        self.make_long()
        self.python("""
            import numpy, sys
            mapped = numpy.load(sys.argv[1], mmap_mode="r+")
            mapped[3] = 33
        """, self.mnt / "trips/fare.npy")
        self.assertEqual(self.load("trips/fare.npy")[3], 33)
        self.python("""
            import mmap, os, sys
            fd = os.open(sys.argv[1], os.O_RDWR)
            mapped = mmap.mmap(fd, 0)
            os.close(fd)
            mapped[128:136] = bytes(8)
            mapped[136:144] = bytes(8)
            mapped.close()
        """, self.mnt / "trips/fare.npy")
        self.assertEqual(self.load("trips/fare.npy")[:3].tolist(), [0, 0, 2])

    def test_pwrite_and_dd(self):
        values = self.make_long()
        fd = os.open(self.mnt / "trips/fare.npy", os.O_RDWR)
        os.pwrite(fd, numpy.float64(5.5).tobytes(), HEADER + 8 * 1000)
        self.assertEqual(os.pread(fd, 8, HEADER + 8 * 1000), numpy.float64(5.5).tobytes())
        self.assertEqual(os.fstat(fd).st_size, HEADER + values.nbytes)
        os.fsync(fd)
        self.assertEqual(self.load("trips/fare.npy")[1000], 5.5)
        os.pwrite(fd, numpy.float64(6.5).tobytes(), HEADER + 8 * 1000)
        os.close(fd)
        self.assertEqual(self.load("trips/fare.npy")[1000], 6.5)
        self.assertEqual(self.version(), 3)
        (self.folder / "cells").write_bytes(numpy.array([1.25, 2.25]).tobytes())
        self.shell("dd if=cells of=mnt/trips/fare.npy bs=8 seek=16 conv=notrunc status=none")
        self.assertEqual(self.load("trips/fare.npy")[:3].tolist(), [1.25, 2.25, 2])
        self.shell("dd if=mnt/trips/.versions/1/fare.npy of=mnt/trips/fare.npy bs=64k conv=notrunc status=none")
        numpy.testing.assert_array_equal(self.load("trips/fare.npy"), values)

    def test_a_whole_column_changed_in_place(self):
        values = self.make_long()
        mapped = numpy.load(self.mnt / "trips/fare.npy", mmap_mode="r+")
        mapped *= 2
        mapped.flush()
        del mapped
        numpy.testing.assert_array_equal(self.load("trips/fare.npy"), values * 2)
        numpy.testing.assert_array_equal(self.load("trips/.versions/1/fare.npy"), values)
        self.umount()
        self.mount()
        numpy.testing.assert_array_equal(self.load("trips/fare.npy"), values * 2)
        self.stela("check", self.store)

    def test_a_changed_column_is_served_by_the_kernel_again(self):
        values = self.make_long()
        path = self.mnt / "trips/fare.npy"
        served = os.getxattr(path, "user.stela.served") if self.load("trips/fare.npy").size else b""
        self.umount()
        self.mount("fold_idle=1ms")
        mapped = numpy.load(path, mmap_mode="r+")
        mapped[5] = -5
        mapped.flush()
        del mapped

        def served_again():
            self.load("trips/fare.npy")
            return os.getxattr(path, "user.stela.served") == served

        wait_until(served_again, "folded")
        self.assertEqual(self.load("trips/fare.npy")[4:7].tolist(), [4, -5, 6])
        numpy.testing.assert_array_equal(self.load("trips/.versions/1/fare.npy"), values)
        self.assertEqual(self.version(), 2)

    def test_nulls(self):
        self.make_dataset(x=[1, 2, 3])
        mapped = numpy.load(self.mnt / "trips/x.valid.npy", mmap_mode="r+")
        mapped[1] = False
        mapped.flush()
        self.assertEqual((self.mnt / "trips/x.txt").read_text(), "1\n\\N\n3\n")
        self.assertEqual(self.names("trips"), ["x.npy", "x.valid.npy"])
        mapped[1] = True
        mapped[2] = False
        mapped.flush()
        del mapped
        self.assertEqual((self.mnt / "trips/x.txt").read_text(), "1\n0\n\\N\n")
        self.shell("printf '\\001' | dd of=mnt/trips/x.valid.npy bs=1 seek=130 conv=notrunc status=none")
        self.assertEqual((self.mnt / "trips/x.txt").read_text(), "1\n0\n0\n")
        self.assertEqual(self.load("trips/.versions/2/x.valid.npy").tolist(), [True, False, True])

    def test_the_second_writer_of_a_cell_gets_estale(self):
        self.make_long()
        path = self.mnt / "trips/fare.npy"
        first, second = os.open(path, os.O_RDWR), os.open(path, os.O_RDWR)
        os.pwrite(first, bytes(8), HEADER + 8 * 5)
        os.pwrite(second, numpy.float64(9).tobytes(), HEADER + 8 * 5)
        os.close(first)
        with self.refused(errno.ESTALE):
            os.fsync(second)
        self.assertIn("row 5 of column 'fare' was changed by version 2 (update", self.sentence(path))
        with self.refused(errno.ESTALE):
            os.close(second)
        self.assertEqual(self.load("trips/fare.npy")[5], 0)
        left, right = (numpy.load(path, mmap_mode="r+") for _ in range(2))
        for step in range(3):  # one page, other cells
            left[10] = step + 100
            right[11] = step + 200
            left.flush()
            right.flush()
        del left, right
        self.assertEqual(self.load("trips/fare.npy")[10:12].tolist(), [102, 202])

    def test_a_mappings_lost_race_is_in_the_error_log(self):
        self.make_long()
        path = self.mnt / "trips/fare.npy"
        with open(path, "r+b") as file:
            mapped = mmap.mmap(file.fileno(), 0)
        mapped[HEADER:HEADER + 8] = numpy.float64(1.5).tobytes()
        self.shell("printf '12345678' | dd of=mnt/trips/fare.npy bs=8 seek=16 conv=notrunc status=none")
        mapped.close()
        del mapped
        wait_until(lambda: any("row 0 of column 'fare'" in line["message"] for line in self.errors()), "the sentence")
        self.assertEqual(self.load("trips/fare.npy")[:1].tobytes(), b"12345678")

    def test_a_killed_writer_commits_nothing(self):
        values = self.make_long()
        child = subprocess.Popen([sys.executable, "-c", textwrap.dedent("""
            import os, sys, time
            fd = os.open(sys.argv[1], os.O_RDWR)
            os.pwrite(fd, bytes(8), 128 + 8 * 9)
            print("written", flush=True)
            time.sleep(60)
        """), str(self.mnt / "trips/fare.npy")], stdout=subprocess.PIPE, text=True)
        self.assertEqual(child.stdout.readline(), "written\n")
        child.send_signal(signal.SIGKILL)
        child.wait(20)
        child.stdout.close()
        numpy.testing.assert_array_equal(self.load("trips/fare.npy"), values)
        self.assertEqual(self.version(), 1)

    def test_refusals(self):
        self.make_dataset(x=[1, 2, 3])
        path = self.mnt / "trips/x.npy"
        fd = os.open(path, os.O_RDWR)
        for offset, says in ((HEADER + 24, ".append/"), (HEADER + 20, ".append/"), (70, "header")):
            with self.refused(errno.EINVAL):
                os.pwrite(fd, b"\xff" * 8, offset)
            self.assertIn(says, self.sentence(path))
        with self.refused(errno.EINVAL):
            os.ftruncate(fd, 10)
        os.ftruncate(fd, HEADER + 24)
        os.close(fd)
        with self.refused(errno.EROFS):
            os.open(self.mnt / "trips/.versions/1/x.npy", os.O_RDWR)
        with self.refused(errno.ENOTSUP):
            os.open(self.mnt / "trips/x.arrow", os.O_RDWR)
        self.shell("touch -d @5 mnt/trips/x.npy && touch mnt/trips/x.valid.npy")
        self.assertEqual(os.stat(path).st_mtime, 5)
        self.assertEqual(self.version(), 1)
        self.assertEqual(self.load("trips/x.npy").tolist(), [1, 2, 3])

    def test_after_a_kill_of_the_daemon_acknowledged_cells_are_there(self):
        self.make_long()
        fd = os.open(self.mnt / "trips/fare.npy", os.O_RDWR)
        os.pwrite(fd, numpy.float64(-3).tobytes(), HEADER + 8 * 3)
        os.fsync(fd)
        os.pwrite(fd, numpy.float64(-4).tobytes(), HEADER + 8 * 4)
        self.end_daemon(signal.SIGKILL)
        with self.assertRaises(OSError):
            os.close(fd)
        self.mount()
        self.assertEqual(self.load("trips/fare.npy")[2:5].tolist(), [2, -3, 4])


if __name__ == "__main__":
    import unittest

    unittest.main()

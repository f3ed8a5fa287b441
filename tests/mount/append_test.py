"""The drop box: files of rows, when they commit, receipts."""
import errno
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import unittest

import numpy

from mounted_store import MountCase, npy


class Append(MountCase):
    def setUp(self):
        super().setUp()
        (self.mnt / "t").mkdir()

    def values(self):
        return self.load("t/a.npy").tolist()

    def test_cp_makes_a_dataset_and_appends(self):
        (self.folder / "day.csv").write_text("a,b\n1,x\n2,y\n")
        self.shell("cp day.csv mnt/t/.append/")
        self.assertEqual(self.version("t"), 1)
        self.shell("cp day.csv mnt/t/.append/")
        self.assertEqual(self.version("t"), 2)
        self.assertEqual(self.values(), [1, 2, 1, 2])
        self.assertEqual(self.load("t/.versions/1/a.npy").tolist(), [1, 2])
        self.assertEqual((self.mnt / "t/b.txt").read_text(), "x\ny\nx\ny\n")

    def test_npy_rows(self):
        self.append("t", "a.npy", npy(numpy.arange(3)))
        self.append("t", "anything.npy", npy(numpy.arange(3, 5)))
        self.assertEqual(self.values(), [0, 1, 2, 3, 4])

    def test_ways_to_write(self):
        (self.folder / "x.csv").write_text("a\n1\n")
        for script in ("cp -p x.csv mnt/t/.append/", "cat x.csv > mnt/t/.append/y.csv", "tee mnt/t/.append/z.csv < x.csv",
                       "install -m 600 x.csv mnt/t/.append/", "dd if=x.csv of=mnt/t/.append/d.csv status=none",
                       "tar cf - x.csv | tar xf - -C mnt/t/.append",
                       "{ echo a; echo 1; } > mnt/t/.append/braces.csv",
                       "sh -c 'echo a; sh -c \"echo 1\"' > mnt/t/.append/nested.csv",
                       "(echo a; sleep 0.05; echo 1) > mnt/t/.append/slow.csv"):
            with self.subTest(script):
                before = self.version("t") if self.values_or_none() else 0
                self.shell(script)
                self.assertEqual(self.version("t"), before + 1)
        self.assertEqual(set(self.values()), {1})

    def values_or_none(self):
        return self.values() if (self.mnt / "t/a.npy").exists() else None

    def test_rsync_twice_sends_once(self):
        if not shutil.which("rsync"):
            self.skipTest("rsync is not installed")
        (self.folder / "x.csv").write_text("a\n1\n")
        self.shell("rsync -t x.csv mnt/t/.append/")
        self.shell("rsync -t x.csv mnt/t/.append/")
        self.assertEqual(self.values(), [1])

    def test_python_writers(self):
        with open(self.mnt / "t/.append/x.csv", "w", encoding="utf-8") as file:
            file.write("a\n1\n")
            file.flush()
            self.assertFalse((self.mnt / "t/a.npy").exists())
            file.write("2\n")
        self.assertEqual(self.values(), [1, 2])

    def test_fsync_commits_the_complete_rows_so_far(self):
        fd = os.open(self.mnt / "t/.append/stream.csv", os.O_WRONLY | os.O_CREAT)
        os.write(fd, b"a\n1\n2\n3")
        os.fsync(fd)
        self.assertEqual(self.values(), [1, 2])
        os.write(fd, b"4\n5")
        os.fsync(fd)
        self.assertEqual(self.values(), [1, 2, 34])
        os.close(fd)
        self.assertEqual(self.values(), [1, 2, 34, 5])
        self.assertEqual(self.version("t"), 3)

    def test_an_empty_file_and_a_header_commit_nothing(self):
        self.shell("touch mnt/t/.append/x.csv; : > mnt/t/.append/y.csv; echo a > mnt/t/.append/z.csv")
        with self.refused(errno.ENOENT):
            self.version("t")
        self.assertEqual(self.names("t"), [])

    def test_a_killed_writer_commits_nothing(self):
        self.append("t", "a.csv", "a\n1\n")
        script = ("import os, sys, time\nfd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)\nos.write(fd, b'a\\n2\\n')\n"
                  "print('written', flush=True)\ntime.sleep(60)")
        with subprocess.Popen([sys.executable, "-c", script, str(self.mnt / "t/.append/b.csv")],
                              stdout=subprocess.PIPE) as writer:
            self.assertEqual(writer.stdout.readline(), b"written\n")
            writer.send_signal(signal.SIGKILL)
            writer.wait(20)
        self.append("t", "c.csv", "a\n3\n")
        self.assertEqual(self.values(), [1, 3])
        self.assertEqual(self.version("t"), 2)

    def test_a_writer_that_fails_but_exits_commits(self):
        self.shell("(printf 'a\\n1\\n'; exit 3) > mnt/t/.append/x.csv", check=False)
        self.assertEqual(self.values(), [1])

    def test_receipts(self):
        self.append("t", "x.csv", "a\n1\n2\n")
        receipt = self.mnt / "t/.append/x.csv"
        self.assertEqual(os.stat(receipt).st_size, 6)
        self.assertEqual(os.getxattr(receipt, "user.stela.version"), b"1")
        self.assertEqual(os.listdir(self.mnt / "t/.append"), [])
        os.chmod(receipt, 0o600)
        os.utime(receipt, (1, 2))
        self.assertEqual(os.stat(receipt).st_mtime, 2)
        with self.refused(errno.EPERM):
            receipt.read_bytes()
        os.rename(receipt, receipt.with_name("y.csv"))
        self.assertFalse(receipt.exists())
        os.unlink(receipt.with_name("y.csv"))
        self.assertEqual(self.values(), [1, 2])
        self.assertEqual(self.version("t"), 1)

    def test_appending_to_a_receipt_continues_the_file(self):
        self.append("t", "x.csv", "a,b\n1,2\n")
        self.shell("echo 3,4 >> mnt/t/.append/x.csv")
        self.assertEqual(self.values(), [1, 3])

    def test_options_are_a_folder(self):
        (self.mnt / "t/.append/null=NA,delimiter=%3B").is_dir()
        self.write(self.mnt / "t/.append/null=NA,delimiter=%3B/x.csv", "a;b\n1;NA\n2;4\n")
        self.assertEqual(self.values(), [1, 2])
        self.assertEqual((self.mnt / "t/b.txt").read_text(), "\\N\n4\n")
        with self.refused(errno.EINVAL):
            self.write(self.mnt / "t/.append/frob=1/x.csv", "a\n1\n")

    def test_concurrent_writers_all_commit(self):
        self.append("t", "first.csv", "a\n0\n")
        scripts = [f"for i in 1 2 3 4 5; do printf 'a\\n{n}\\n' > mnt/t/.append/w{n}.$i.csv; done" for n in range(1, 9)]
        processes = [subprocess.Popen(["sh", "-c", script], cwd=self.folder) for script in scripts]
        for process in processes:
            self.assertEqual(process.wait(50), 0)
        values = self.values()
        self.assertEqual(len(values), 41)
        for n in range(1, 9):
            self.assertEqual(values.count(n), 5)
        self.assertEqual(self.version("t"), 41)

    def test_many_rows(self):
        rows = 200_000
        lines = "\n".join(f"{i},{i * 0.5},name{i % 100}" for i in range(rows))
        self.append("t", "big.csv", f"a,b,c\n{lines}\n")
        numpy.testing.assert_array_equal(self.load("t/a.npy"), numpy.arange(rows))
        numpy.testing.assert_array_equal(self.load("t/b.npy"), numpy.arange(rows) * 0.5)


if __name__ == "__main__":
    unittest.main()

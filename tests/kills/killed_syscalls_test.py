"""The program is killed at the n-th call of each system call that a commit makes, for every n: each time the store opens
again with the rows before the commit or with all of them, its check is clean, and the next commit works."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import unittest

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "mount"))
from mounted_store import STELA, MountCase  # noqa: E402

CALLS = ("openat2", "openat", "pwrite64", "pwritev", "write", "fdatasync", "fsync", "linkat", "unlinkat", "renameat2",
         "ftruncate", "fallocate", "mkdirat", "close")
PER_CALL = int(os.environ.get("STELA_KILLED_CALLS", "6"))


class KilledSystemCalls(MountCase):
    MOUNTED = False
    SECONDS_MAX = 240

    def import_rows(self, store, path, *strace):
        return subprocess.run([*strace, STELA, "import", str(store), "/t", str(path)], capture_output=True, timeout=60,
                              check=False)

    def test_each_call_of_a_commit(self):
        if not shutil.which("strace"):
            self.skipTest("strace is not installed")
        first, second = self.folder / "first.csv", self.folder / "second.csv"
        before = list(range(1000))
        first.write_text("a\n" + "".join(f"{n}\n" for n in before))
        after = before + list(range(5_000_000, 5_400_000))  # a fragment with a flat file
        second.write_text("a\n" + "".join(f"{n}\n" for n in after[1000:]))
        template = self.folder / "template"
        self.assertEqual(self.import_rows(template, first).returncode, 0)
        kills = survived = 0
        for call in CALLS:
            for number in range(1, PER_CALL + 1):
                shutil.rmtree(self.store, ignore_errors=True)
                shutil.copytree(template, self.store)
                done = self.import_rows(self.store, second, "strace", "-f", "-qq", "-o", "/dev/null", "-e",
                                        f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}")
                if done.returncode == 0:
                    break  # it makes fewer of them
                self.assertIn(done.returncode, (-signal.SIGKILL, 128 + signal.SIGKILL), done.stderr)
                kills += 1
                survived += self.check(call, number, before, after)
        print(f"{kills} kills at system calls; {survived} commits had come through")
        self.assertGreater(kills, 20)

    def check(self, call, number, before, after):
        where = f"killed at {call} number {number}"
        rows = numpy.frombuffer(self.stela("cat", self.store, "/t/a.npy").stdout_bytes[128:], dtype="<i8").tolist()
        self.assertIn(len(rows), (len(before), len(after)), where)
        self.assertEqual(rows, before if len(rows) == len(before) else after, where)
        self.stela("check", self.store)
        third = self.folder / "third.csv"
        third.write_text("a\n-1\n")
        self.assertEqual(self.import_rows(self.store, third).returncode, 0, where)
        self.assertEqual(self.stela("cat", self.store, "/t/a.txt").stdout.splitlines()[-1], "-1", where)
        return len(rows) == len(after)


if __name__ == "__main__":
    unittest.main()

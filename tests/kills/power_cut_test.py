"""Power cuts: the store lies on a journaling filesystem of its own, which is shut down without flushing its journal while
writers commit. After the next mount of that filesystem everything that close() acknowledged is there, once."""
import errno
import fcntl
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "mount"))
from mounted_store import MountCase  # noqa: E402

ROUNDS = max(2, int(os.environ.get("STELA_POWER_CUTS", "10")) * int(os.environ.get("STELA_TEST_SCALE", "100")) // 100)
WRITERS = 3
FS_IOC_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = struct.pack("I", 2)
FILESYSTEMS = [fs for fs in ("ext4", "xfs") if shutil.which(f"mkfs.{fs}")]


def run(*words, check=True):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=30, check=check)


@unittest.skipUnless(os.geteuid() == 0, "needs kernel permission to mount a filesystem of its own")
class PowerCut(MountCase):
    MOUNTED = False
    SECONDS_MAX = 240

    def test_what_close_acknowledged_survives(self):
        for filesystem in FILESYSTEMS:
            with self.subTest(filesystem):
                self.rounds_on(filesystem)

    def rounds_on(self, filesystem):
        self.image, self.disk = self.folder / f"{filesystem}.image", self.folder / filesystem
        self.disk.mkdir()
        with open(self.image, "wb") as image:
            image.truncate(320 << 20)
        quiet = {"ext4": ["-q", "-F", "-O", "has_journal"], "xfs": ["-q", "-f"]}[filesystem]
        run(f"mkfs.{filesystem}", *quiet, self.image)
        self.addCleanup(run, "umount", "-l", self.disk, check=False)
        try:
            run("mount", "-o", "loop", self.image, self.disk)
        except subprocess.CalledProcessError as error:
            self.skipTest(f"needs kernel loop devices: {error.stderr.strip()}")
        self.addCleanup(self.stela, "umount", self.mnt, check=False)  # before the filesystem below it
        self.store = self.disk / "store"
        acknowledged, unanswered = {0}, set()
        chance, number = random.Random(7), 1
        for round_number in range(ROUNDS):
            self.mount()
            if round_number == 0:
                (self.mnt / "t").mkdir()
                self.append("t", "first.csv", "a\n0\n")
            self.check(acknowledged, unanswered, round_number)
            threads = [threading.Thread(target=self.write_rows, args=(acknowledged, unanswered, number + n * 100_000))
                       for n in range(WRITERS)]
            number += WRITERS * 100_000
            wanted, until = len(acknowledged) + chance.randrange(1, 12), time.monotonic() + 5
            for thread in threads:
                thread.start()
            while len(acknowledged) < wanted and time.monotonic() < until:
                time.sleep(0.0005)
            self.cut()
            for thread in threads:
                thread.join(30)
                self.assertFalse(thread.is_alive(), "a writer hangs after the power cut")
        self.mount()
        self.check(acknowledged, unanswered, ROUNDS)
        self.stela("check", self.mnt)
        print(f"{filesystem}: {ROUNDS} power cuts, {len(acknowledged)} acknowledged, {len(unanswered)} unanswered")
        self.umount()
        run("umount", self.disk)

    def cut(self):
        pid = self.daemon_pid()
        fd = os.open(self.disk, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, FS_IOC_SHUTDOWN, NO_LOG_FLUSH)
        finally:
            os.close(fd)
        self.end_daemon(9, pid)
        run("umount", "-l", self.mnt)
        until = time.monotonic() + 20
        while run("umount", self.disk, check=False).returncode != 0:
            self.assertLess(time.monotonic(), until, "the filesystem stays busy after its daemon's end")
            time.sleep(0.01)
        # What still ends of the filesystem that was shut down may be found again by the first mount.
        while True:
            run("mount", "-o", "loop", self.image, self.disk)
            try:
                return os.close(os.open(self.disk / "store/LOCK", os.O_RDWR))
            except OSError as error:
                self.assertEqual(error.errno, errno.EIO)
                self.assertLess(time.monotonic(), until, "the filesystem stays shut down")
                run("umount", self.disk)
                time.sleep(0.01)

    def write_rows(self, acknowledged, unanswered, first):
        for value in range(first, first + 100_000):
            unanswered.add(value)
            try:
                self.append("t", f"w{first}.csv", f"a\n{value}\n")
            except OSError as error:
                self.assertNotEqual(error.errno, errno.EINVAL)
                return
            acknowledged.add(value)
            unanswered.discard(value)

    def check(self, acknowledged, unanswered, round_number):
        values = self.load("t/a.npy").tolist()
        there = set(values)
        self.assertEqual(len(values), len(there), "a row is there twice")
        self.assertEqual(acknowledged - there, set(), f"acknowledged and lost by power cut {round_number}")
        self.assertEqual(there - acknowledged - unanswered, set(), "rows that nobody wrote")
        acknowledged |= there
        unanswered -= there


if __name__ == "__main__":
    unittest.main()

"""What happens to a mount while people look elsewhere: mappings beyond the end, bases that are dropped under a draft,
thousands of open drafts, a log that somebody edited, a store that somebody removed."""
import errno
import os
import resource
import shutil
import signal
import subprocess
import sys
import textwrap

import numpy

from mounted_store import OPTIONS, MountCase, npy, wait_until

HEADER = 128
# What is masked of the kernel does not change with their number.
DRAFTS = 1_000 if OPTIONS else max(500, 100 * int(os.environ.get("STELA_TEST_SCALE") or 100))


class Handles(MountCase):
    SECONDS_MAX = 200

    def test_a_mapping_longer_than_the_file(self):
        self.make_dataset(x=numpy.arange(4))  # 160 bytes
        script = textwrap.dedent("""
            import ctypes, mmap, os, sys
            libc = ctypes.CDLL(None, use_errno=True)
            libc.mmap.restype = ctypes.c_void_p
            libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
            libc.msync.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
            fd = os.open(sys.argv[1], os.O_RDWR)
            at = libc.mmap(None, 1 << 20, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED, fd, 0)
            assert at != ctypes.c_void_p(-1).value, ctypes.get_errno()
            ctypes.memset(at + 160, 255, 100)  # the rest of the last page belongs to nobody
            if libc.msync(at, 4096, 4) != 0:  # MS_SYNC
                sys.exit(ctypes.get_errno())
            print("synced", flush=True)
            ctypes.memset(at + (1 << 19), 255, 1)
            """)
        done = subprocess.run([sys.executable, "-c", script, self.mnt / "trips/x.npy"], capture_output=True, text=True,
                              timeout=30, check=False)
        self.assertEqual((done.returncode, done.stdout), (-signal.SIGBUS, "synced\n"), done.stderr)
        self.assertEqual(self.load("trips/x.npy").tolist(), [0, 1, 2, 3])
        self.assertEqual(self.version(), 1)
        self.assertEqual(os.stat(self.mnt / "trips/x.npy").st_size, 160)

    def test_the_base_of_a_draft_is_dropped(self):
        self.make_dataset(x=[1, 2, 3], y=[4, 5, 6])
        self.make_dataset("other", x=[1])
        cells = os.open(self.mnt / "trips/x.npy", os.O_RDWR)
        os.pwrite(cells, b"\7" * 8, HEADER)
        os.unlink(self.mnt / "trips/x.npy")
        with self.refused(errno.ESTALE):
            os.fsync(cells)
        with self.refused(errno.ESTALE):
            os.close(cells)
        self.assertIn("the column 'x' was dropped or replaced by version 3 (drop column", self.errors()[-1]["message"])
        self.assertEqual((self.version(), self.names("trips")), (3, ["y.npy"]))
        rows = os.open(self.mnt / "other/.append/more.csv", os.O_WRONLY | os.O_CREAT)
        os.write(rows, b"x\n2\n")
        column = os.open(self.mnt / "other/z.npy", os.O_WRONLY | os.O_CREAT)
        os.write(column, npy(numpy.array([9])))
        shutil.rmtree(self.mnt / "other")
        for fd, path in ((rows, "/other/.append/more.csv"), (column, "/other/z.npy")):
            with self.refused(errno.ENOENT, errno.ESTALE):
                os.close(fd)
            line = self.errors()[-1]
            self.assertEqual(line["path"], path)
            self.assertIn("dropped", line["message"])
        self.assertEqual(self.names(), ["trips"])
        self.stela("restore", self.store, "/other")
        self.assertEqual(self.load("other/x.npy").tolist(), [1])
        self.assertEqual(self.names("other"), ["x.npy"])

    def test_10_000_drafts_are_open(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < DRAFTS + 100:
            self.skipTest("needs kernel limits of more open files (ulimit -Hn)")
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        self.umount()
        self.mount(f"drafts={DRAFTS}")
        self.make_dataset("many", x=[-1])
        handles = []
        try:
            for number in range(DRAFTS):
                handles.append(os.open(self.mnt / f"many/.append/{number}.csv", os.O_WRONLY | os.O_CREAT))
                os.write(handles[-1], b"x\n%d\n" % number)
            with self.refused(errno.ENOSPC):
                os.open(self.mnt / "many/.append/last.csv", os.O_WRONLY | os.O_CREAT)
            self.assertIn(f"{DRAFTS}", self.errors()[-1]["message"])
            self.assertEqual(self.version("many"), 1)
            # Nobody waits for them: others read, and commit what needs no draft.
            self.assertEqual(self.load("many/x.npy").tolist(), [-1])
            (self.mnt / "trips").mkdir()
        finally:
            for fd in handles:
                os.close(fd)
        self.assertEqual(sorted(self.load("many/x.npy").tolist()), list(range(-1, DRAFTS)))
        self.assertEqual(self.version("many"), DRAFTS + 1)


class Log(MountCase):
    def commit_texts(self, count=9):
        """A commit for each word, all in the log only; where each lies in the log's first segment."""
        (self.mnt / "t").mkdir()
        words = [f"word-number-{i}" for i in range(count)]
        for word in words:
            self.append("t", f"{word}.csv", f"w\n{word}\n")
        self.end_daemon(signal.SIGKILL)
        self.segment = min((path for path in (self.store / "log").iterdir() if path.name.isdigit()),
                           key=lambda path: int(path.name))
        log = self.segment.read_bytes()
        return words, [log.index(word.encode()) for word in words]

    def flip(self, at):
        with open(self.segment, "r+b") as file:
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ 1]))

    def words(self):
        return (self.mnt / "t/w.txt").read_text().split()

    def test_its_last_commit_is_flipped(self):
        words, places = self.commit_texts()
        self.flip(places[-1])
        self.mount()  # as a commit that was cut off by a crash, which nothing tells from this
        self.assertEqual(self.words(), words[:-1])
        self.append("t", "more.csv", "w\nmore\n")
        self.assertEqual(self.words(), [*words[:-1], "more"])

    def test_its_middle_is_flipped(self):
        words, places = self.commit_texts()
        self.flip(places[4])
        self.mount()
        self.assertEqual(self.words(), words[:4])
        with self.refused(errno.EROFS, errno.EIO):
            self.append("t", "more.csv", "w\nmore\n")
        self.assertIn("proves that acknowledged commits in between cannot be read", self.errors()[-1]["message"])
        check = self.stela("check", self.store, check=False)
        self.assertNotEqual(check.returncode, 0)
        self.assertIn("the log is damaged at position", check.stdout + check.stderr)
        self.umount()
        self.flip(places[4])  # mended: nothing was thrown away meanwhile
        self.mount()
        self.assertEqual(self.words(), words)

    def test_it_is_cut(self):
        words, places = self.commit_texts()
        whole = self.segment.read_bytes()
        for cut in (places[4], 100, 0):
            with self.subTest(cut=cut):
                self.segment.write_bytes(whole[:cut])
                done = self.mount(check=False)
                if done.returncode == 0:
                    self.assertEqual(self.words(), words[:4])
                    with self.refused(errno.EROFS, errno.EIO):
                        self.append("t", "more.csv", "w\nmore\n")
                    self.umount()
                else:
                    self.assertIn(f"log/{self.segment.name} is a log segment of {cut} bytes instead of", done.stderr)
        self.segment.write_bytes(whole)
        self.mount()
        self.assertEqual(self.words(), words)

    def test_a_segment_is_gone(self):
        words, _ = self.commit_texts()
        kept = self.folder / "kept"
        self.segment.rename(kept)
        self.mount()
        with self.refused(errno.EROFS, errno.EIO):
            self.make_dataset("u", x=[1])
        self.assertIn(f"the log's segment {self.segment.name} is missing", self.errors()[-1]["message"])
        self.umount()
        kept.rename(self.segment)
        self.mount()
        self.assertEqual(self.words(), words)


class RemovedStore(MountCase):
    def test_its_folder_is_removed_under_the_daemon(self):
        values = numpy.arange(300_000.0)
        self.make_dataset(fare=values)
        mapped = numpy.load(self.mnt / "trips/fare.npy", mmap_mode="r")
        pid = self.daemon_pid()
        wait_until(lambda: shutil.rmtree(self.store, ignore_errors=True) or not self.store.exists(), "the folder is gone")
        self.assertEqual(mapped.sum(), values.sum())  # a handle outlives the name of its file
        # What is written now would go with the daemon: it is not acknowledged.
        with self.refused(errno.EIO):
            self.append("trips", "one.csv", "fare\n1\n")
        self.assertIn("was removed while it was in use", self.errors()[-1]["message"])
        with self.refused(errno.EIO, errno.EROFS):
            self.write(self.mnt / "trips/large.npy", npy(values))
        self.assertIn("was removed while it was in use", self.errors()[-1]["message"])
        with self.refused(errno.EROFS):
            (self.mnt / "more").mkdir()
        self.assertEqual(self.names(), ["trips"])
        os.kill(pid, 0)  # it lives
        del mapped
        subprocess.run(["fusermount3", "-u", self.mnt], check=True, timeout=30)

    def test_its_folder_is_renamed_under_the_daemon(self):
        self.make_dataset(x=[1, 2])
        self.store.rename(self.folder / "moved")
        self.append("trips", "more.csv", "x\n3\n")
        self.assertEqual(self.load("trips/x.npy").tolist(), [1, 2, 3])


if __name__ == "__main__":
    import unittest

    unittest.main()

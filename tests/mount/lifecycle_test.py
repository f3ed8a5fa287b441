"""Mounting, unmounting, dying."""
import errno
import json
import os
import pathlib
import pwd
import shutil
import signal
import struct
import stat
import subprocess
import tempfile
import time
import unittest

import numpy

from mounted_store import OPTIONS, STELA, MountCase, mounted_at, npy, wait_until


def crc32c(data, crc=0):
    crc ^= 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def as_format_2(manifest):
    """One copy of a manifest (magic, major, length, CRC-32C, body) as a program with another major would write it."""
    head, body = manifest[:4] + struct.pack("<I", 2) + manifest[8:12], manifest[16:]
    return head + struct.pack("<I", crc32c(head + body)) + body


class Lifecycle(MountCase):
    def test_mount_creates_the_store_and_umount_leaves_it_closed(self):
        self.assertTrue((self.store / "STELA").is_file())
        self.make_dataset(fare=[1.0, 2.0])
        self.umount()
        self.assertIsNone(mounted_at(self.mnt))
        self.assertFalse((self.store / "control").exists())
        self.assertEqual(self.stela("ls", self.store, "/trips").stdout, "fare.npy\n")
        self.mount()
        numpy.testing.assert_array_equal(self.load("trips/fare.npy"), [1.0, 2.0])

    def test_mount_table_names_the_store(self):
        self.assertEqual(mounted_at(self.mnt)[1], str(self.store))

    def test_umount_by_the_store_and_by_umount8(self):
        self.stela("umount", self.store)
        self.assertIsNone(mounted_at(self.mnt))
        self.mount()
        pid = self.daemon_pid()
        self.shell("fusermount3 -u mnt")
        self.assertIsNone(mounted_at(self.mnt))
        self.mount()  # waits for the daemon that is just ending
        self.assertNotEqual(self.daemon_pid(), pid)

    def test_umount_with_open_files_is_refused(self):
        self.make_dataset()
        with open(self.mnt / "trips/fare.npy", "rb"):
            done = self.umount(check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn("in use", done.stderr)
            self.assertTrue(os.path.ismount(self.mnt))

    def test_a_second_daemon_is_refused_with_the_first_ones_place(self):
        (self.folder / "mnt2").mkdir()
        began = time.monotonic()
        done = self.mount(mnt=self.folder / "mnt2", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"pid {self.daemon_pid()}", done.stderr)
        self.assertIn(f"mounted at {self.mnt}", done.stderr)
        self.assertLess(time.monotonic() - began, 5)

    def test_a_mount_point_in_use_absent_or_no_folder_is_refused(self):
        for place, words in ((self.mnt, "already shows"), (self.folder / "none", "does not exist"),
                             (self.store / "STELA", "not a folder"), (self.store, "within each other")):
            done = self.stela("mount", self.folder / "other" if place == self.mnt else self.store, place, check=False)
            self.assertEqual(done.returncode, 1, place)
            self.assertIn(words, done.stderr)

    def test_a_folder_that_is_no_store_is_refused(self):
        other = self.folder / "documents"
        other.mkdir()
        (other / "letter.txt").write_text("dear")
        self.umount()
        done = self.stela("mount", other, self.mnt, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("not a Stela store", done.stderr)
        self.assertEqual(os.listdir(other), ["letter.txt"])

    def test_a_store_of_a_newer_version_is_refused_by_name(self):
        self.umount()
        header = self.store / "STELA"
        kept = header.read_bytes()
        self.assertIn(b"format 1\n", kept)
        header.write_bytes(kept.replace(b"format 1\n", b"format 2\n"))
        self.check_refused_store("format 2", "newer")
        header.write_bytes(b"\xff" * len(kept))
        self.check_refused_store("does not begin as a store's does")
        header.write_bytes(kept)

        newest = max((self.store / "catalog").glob("*.manifest"), key=lambda path: int(path.stem))
        kept = newest.read_bytes()
        newest.write_bytes(as_format_2(kept[:len(kept) // 2]) * 2)
        self.check_refused_store("format 2", "newer", newest.name)
        newest.write_bytes(kept)
        self.mount()

    def check_refused_store(self, *words):
        for command in (("mount", self.store, self.mnt), ("ls", self.store)):
            done = self.stela(*command, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertTrue(done.stderr.startswith("stela: "))
            for word in words:
                self.assertIn(word, done.stderr)

    def test_sigterm_keeps_what_was_closed_and_drops_drafts(self):
        self.make_dataset(fare=[1.0, 2.0])
        draft = os.open(self.mnt / "trips/.append/more.csv", os.O_WRONLY | os.O_CREAT)
        os.write(draft, b"fare\n3\n")
        try:
            self.assertLess(self.end_daemon(signal.SIGTERM), 10)
        finally:
            try:
                os.close(draft)
            except OSError:
                pass  # its daemon is gone
        self.assertIsNone(mounted_at(self.mnt))
        self.mount()
        numpy.testing.assert_array_equal(self.load("trips/fare.npy"), [1.0, 2.0])
        self.assertEqual(self.version(), 1)
        told = self.errors()[-1]
        self.assertEqual(told["path"], "/trips/.append/more.csv")
        self.assertIn("neither closed nor synced", told["message"])

    def test_kill_9_loses_nothing_acknowledged_and_the_mount_heals(self):
        self.make_dataset(fare=[1.0])
        self.append("trips", "a.csv", "fare\n2\n3\n")
        draft = os.open(self.mnt / "trips/.append/b.csv", os.O_WRONLY | os.O_CREAT)
        os.write(draft, b"fare\n4\n")
        self.end_daemon(signal.SIGKILL)
        with self.refused(errno.ENOTCONN):
            os.listdir(self.mnt)
        try:
            os.close(draft)
        except OSError:
            pass
        self.mount()
        numpy.testing.assert_array_equal(self.load("trips/fare.npy"), [1.0, 2.0, 3.0])
        self.assertEqual(self.version(), 2)
        self.append("trips", "c.csv", "fare\n5\n")
        self.assertEqual(self.version(), 3)
        self.assertEqual(self.stela("check", self.store).returncode, 0)

    def test_kill_9_again_and_again(self):
        self.make_dataset(fare=[0.0])
        for round_number in range(1, 6):
            self.append("trips", f"{round_number}.csv", f"fare\n{round_number}\n")
            self.end_daemon(signal.SIGKILL)
            self.mount()
            numpy.testing.assert_array_equal(self.load("trips/fare.npy"), numpy.arange(round_number + 1.0))

    def test_read_only_mount_changes_nothing(self):
        self.make_dataset(fare=[1.0])
        self.umount()
        self.mount("ro")
        numpy.testing.assert_array_equal(self.load("trips/fare.npy"), [1.0])
        for change in (lambda: os.mkdir(self.mnt / "x"), lambda: os.unlink(self.mnt / "trips/fare.npy"),
                       lambda: self.append("trips", "a.csv", "fare\n1\n"),
                       lambda: self.write(self.mnt / "trips/b.npy", npy(numpy.arange(1)))):
            with self.refused(errno.EROFS):
                change()

    def test_the_foreground_daemon_ends_with_sigint(self):
        self.umount()
        words = ["-o", OPTIONS] if OPTIONS else []
        process = subprocess.Popen([STELA, "mount", "-f", str(self.store), str(self.mnt), *words],
                                   stderr=subprocess.PIPE)
        self.daemons.add(process.pid)
        wait_until(lambda: mounted_at(self.mnt), "the mount")
        self.assertEqual(os.listdir(self.mnt), [])
        process.send_signal(signal.SIGINT)
        _, text = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 0, text)
        self.assertIsNone(mounted_at(self.mnt))

    def test_settings_are_refused_with_their_line_and_shown(self):
        self.umount()
        (self.store / "stela.conf").write_text("[store]\npage = 64KiB\nworkres = 3\n")
        done = self.mount(check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("stela.conf:3: unknown key 'workres'", done.stderr)
        (self.store / "stela.conf").write_text("[store]\npage = 64KiB\n")
        self.mount("special=listed")
        config = json.loads((self.mnt / ".stela/config.json").read_text())
        self.assertEqual((config["page"]["value"], config["page"]["from"]), ("64KiB", "stela.conf:2"))
        self.assertEqual((config["special"]["value"], config["special"]["from"]), ("listed", "-o"))

    def test_a_long_path_of_the_store(self):
        self.umount()
        deep = self.folder / ("d" * 100) / ("e" * 100)
        deep.mkdir(parents=True)
        self.store = deep / "store"
        self.mount()
        self.assertEqual(json.loads(self.stela("status", self.store, "--json").stdout)["daemon"]["mount_point"],
                         str(self.mnt))

    def test_a_user_mounts_reads_and_writes(self):
        if os.geteuid() != 0:
            self.skipTest("only root can become another user")
        # Where the device is closed to users, a node of our own covers it in a mount namespace of our own.
        within = []
        if stat.S_IMODE(os.stat("/dev/fuse").st_mode) & 0o006 != 0o006:
            within = ["unshare", "-m", "sh", "-c", f"mknod -m 666 {self.folder}/fuse c 10 229 && "
                      f"mount --bind {self.folder}/fuse /dev/fuse && exec \"$@\"", "sh"]
            if subprocess.run([*within, "setpriv", "--reuid=65534", "sh", "-c", "true <>/dev/fuse"], timeout=60,
                              capture_output=True, check=False).returncode != 0:
                self.skipTest("needs kernel device /dev/fuse open to other users")
            os.unlink(self.folder / "fuse")
        self.umount()
        user = pwd.getpwnam("nobody")
        # Not below TMPDIR, which may be closed to other users.
        home = pathlib.Path(tempfile.mkdtemp(prefix="stela-user-", dir="/var/tmp"))
        self.addCleanup(shutil.rmtree, home, ignore_errors=True)
        shutil.copy(STELA, home / "stela")
        for path in (home, home / "stela"):
            os.chown(path, user.pw_uid, user.pw_gid)
        self.store, self.mnt = home / "store", home / "mnt"
        option = f"-o {OPTIONS}" if OPTIONS else ""
        script = f"""cd {home} && mkdir mnt && ./stela mount store mnt {option} && mkdir mnt/t &&
            printf 'a\\n1\\n2\\n' > mnt/t/.append/x.csv && cat mnt/t/a.txt && printf 'a\\n3\\n' > mnt/t/.append/x.csv &&
            mkdir mnt/team && stat -c %U mnt mnt/t mnt/t/a.npy mnt/team && printf 'b\\n1\\n' > y.csv &&
            ./stela import mnt /team/u y.csv > said && printf 'b\\n2\\n' > mnt/team/u/.append/y.csv &&
            cat mnt/t/a.txt mnt/team/u/b.txt && getfattr --only-values -n user.stela.served mnt/t/a.npy && ./stela umount mnt"""
        done = subprocess.run([*within, "setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "sh",
                               "-c", script], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.stdout, "1\n2\n" + "nobody\n" * 4 + "1\n2\n3\n1\n2\ndaemon", done.stderr)


if __name__ == "__main__":
    unittest.main()

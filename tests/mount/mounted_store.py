"""A store in a temporary folder, mounted by the real program; every wait is bounded and nothing is left behind.

A test that hangs in the filesystem cannot be interrupted, so a timer ends its daemon and aborts its connection: the
system call then fails, and the test with it.
"""
import contextlib
import errno
import io
import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest

import numpy

SOURCE = pathlib.Path(os.environ.get("STELA_SOURCE_DIR") or pathlib.Path(__file__).resolve().parents[2])
STELA = os.environ.get("STELA_BINARY") or str(SOURCE / "build/release/fsd/stela")
OPTIONS = os.environ.get("STELA_MOUNT_OPTIONS", "")
# For one test, and for one command; instrumented programs are slow.
SECONDS_MAX = 60 if int(os.environ.get("STELA_TEST_SCALE") or 100) >= 30 else 240
CONNECTIONS = pathlib.Path("/sys/fs/fuse/connections")


def why_no_fuse():
    """Why nothing can be mounted here, or None."""
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))
    except OSError as error:
        return f"/dev/fuse cannot be opened: {error.strerror}"
    return None


def npy(array):
    """The bytes np.save writes."""
    file = io.BytesIO()
    numpy.save(file, array)
    return file.getvalue()


def mounted_at(path):
    """(device number, store) of the last mount at `path`, or None; does not touch the mount."""
    found = None
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        words = line.split(" ")
        if words[4] == str(path):
            found = words[2], words[words.index("-") + 2]
    return found


def wait_until(condition, what, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.005)


@unittest.skipIf(why_no_fuse(), why_no_fuse())
class MountCase(unittest.TestCase):
    """self.mnt shows self.store after self.mount(); MOUNTED = False leaves that to the test."""

    MOUNTED = True
    SECONDS_MAX = SECONDS_MAX

    def setUp(self):
        self.folder = pathlib.Path(os.path.realpath(tempfile.mkdtemp(prefix="stela-mount-")))
        self.store, self.mnt = self.folder / "store", self.folder / "mnt"
        self.mnt.mkdir()
        self.daemons = set()
        self.addCleanup(self._remove)
        self._timer = threading.Timer(self.SECONDS_MAX, self._abort)
        self._timer.daemon = True
        self._timer.start()
        if self.MOUNTED:
            self.mount()

    # ---- the program

    def stela(self, *arguments, check=True, stdin=None):
        done = subprocess.run([STELA, *map(str, arguments)], capture_output=True, timeout=self.SECONDS_MAX, check=False,
                              input=stdin)
        done.stdout_bytes = done.stdout
        done.stdout, done.stderr = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        if check and done.returncode != 0:
            raise AssertionError(f"stela {' '.join(map(str, arguments))}: exit {done.returncode}\n{done.stderr}")
        return done

    def shell(self, script, check=True, **variables):
        """sh -c SCRIPT in the mount's folder's parent; variables become the environment."""
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=SECONDS_MAX, check=False,
                              cwd=self.folder, env=dict(os.environ, LC_ALL="C.UTF-8", **variables))
        if check and done.returncode != 0:
            raise AssertionError(f"{script}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def mount(self, *options, check=True, mnt=None, store=None):
        every = [option for option in (OPTIONS, *options) if option]
        words = [word for option in every for word in ("-o", option)]
        done = self.stela("mount", store or self.store, mnt or self.mnt, *words, check=check)
        if done.returncode == 0:
            self.daemons.add(self.daemon_pid())
        return done

    def umount(self, **options):
        return self.stela("umount", self.mnt, **options)

    def daemon_pid(self):
        return json.loads(self.stela("status", self.store, "--json").stdout)["daemon"]["pid"]

    def end_daemon(self, number, pid=None):
        """Sends the signal and waits for the end of the process."""
        pid = pid or self.daemon_pid()
        process = os.pidfd_open(pid)
        try:
            os.kill(pid, number)
            began = time.monotonic()
            ready, _, _ = select.select([process], [], [], 5 if number == signal.SIGKILL else 20)
            if not ready and number == signal.SIGKILL:
                self._abort_connections()  # the kernel may hold a killed daemon back until its connection ends (fsd/daemon/dead_connection.h)
                ready, _, _ = select.select([process], [], [], 15)
            self.assertTrue(ready, "the daemon did not end within 20 s")
            return time.monotonic() - began
        finally:
            os.close(process)

    # ---- files

    def write(self, path, data, flags=os.O_CREAT | os.O_TRUNC):
        """open, write all, close; OSError from whichever fails."""
        fd = os.open(path, os.O_WRONLY | flags, 0o644)
        try:
            view = memoryview(data if isinstance(data, bytes) else data.encode())
            while view:
                view = view[os.write(fd, view):]
        finally:
            os.close(fd)

    def append(self, dataset, name, data):
        self.write(self.mnt / dataset / ".append" / name, data)

    def make_dataset(self, dataset="trips", **columns):
        """mkdir and np.save of each column."""
        (self.mnt / dataset).mkdir()
        for name, values in (columns or {"fare": numpy.arange(5.0)}).items():
            self.write(self.mnt / dataset / f"{name}.npy", npy(numpy.asarray(values)))

    def load(self, path):
        return numpy.load(self.mnt / path)

    def names(self, path=""):
        return sorted(os.listdir(self.mnt / path))

    def version(self, dataset="trips"):
        return int(os.path.basename(os.readlink(self.mnt / dataset / ".versions/latest")))

    def sentence(self, path):
        return os.getxattr(path, "user.stela.error").decode()

    @contextlib.contextmanager
    def refused(self, *codes):
        with self.assertRaises(OSError) as caught:
            yield caught
        self.assertIn(caught.exception.errno, codes, f"{errno.errorcode.get(caught.exception.errno)}: {caught.exception}")

    def errors(self):
        """The lines of .stela/errors.ndjson."""
        text = (self.mnt / ".stela/errors.ndjson").read_text()
        return [json.loads(line) for line in text.splitlines()]

    # ---- the end

    def _abort(self):
        for pid in self.daemons:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._abort_connections()

    def _abort_connections(self):
        for mount in (self.mnt, self.folder / "mnt2"):
            found = mounted_at(mount)
            if found:
                if not CONNECTIONS.joinpath(found[0].split(":")[1]).exists():
                    subprocess.run(["mount", "-t", "fusectl", "none", str(CONNECTIONS)], capture_output=True, timeout=10,
                                   check=False)
                with contextlib.suppress(OSError):
                    (CONNECTIONS / found[0].split(":")[1] / "abort").write_text("1")

    def _remove(self):
        self._timer.cancel()
        for mount in (self.mnt, self.folder / "mnt2"):
            if mounted_at(mount):
                subprocess.run([STELA, "umount", str(mount)], capture_output=True, timeout=SECONDS_MAX, check=False)
            while mounted_at(mount):
                self._abort()
                if subprocess.run(["fusermount3", "-uz", str(mount)], capture_output=True, timeout=SECONDS_MAX,
                                  check=False).returncode != 0:
                    break
        if not mounted_at(self.mnt):
            shutil.rmtree(self.folder, ignore_errors=True)

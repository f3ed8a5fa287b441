"""A store of a benchmark's own, mounted by the real program, beside a folder for plain files on the same disk."""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]


def arguments(purpose, **numbers):
    """--stela, --dir and the given options with their default numbers."""
    parser = argparse.ArgumentParser(description=purpose)
    parser.add_argument("--stela", default=os.environ.get("STELA_BINARY", str(SOURCE / "build/release/fsd/stela")),
                        help="the program (%(default)s)")
    parser.add_argument("--dir", default="/var/tmp", help="folder on the disk to measure (%(default)s)")
    for name, default in numbers.items():
        parser.add_argument("--" + name, type=type(default), default=default, help="(%(default)s)")
    return parser.parse_args()


class Mounted:
    """`with Mounted(arguments) as m:` has m.mnt, m.store and m.plain; everything is gone afterwards."""

    def __init__(self, options, *mount_options):
        self.stela, self.parent, self.mount_options = options.stela, options.dir, mount_options

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="stela-bench-", dir=self.parent))
        self.store, self.mnt, self.plain = self.folder / "store", self.folder / "mnt", self.folder / "plain"
        self.mnt.mkdir()
        self.plain.mkdir()
        self.mount(*self.mount_options)
        return self

    def __exit__(self, *_):
        self.umount()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *words, env=None):
        return subprocess.run([self.stela, *map(str, words)], check=True, capture_output=True, text=True, timeout=1800,
                              env=env).stdout

    def mount(self, *mount_options):
        words = [word for option in mount_options for word in ("-o", option)]
        self.run("mount", self.store, self.mnt, *words)

    def umount(self):
        subprocess.run([self.stela, "umount", str(self.mnt)], check=False, capture_output=True, timeout=120)

    def daemon(self):
        return json.loads(self.run("status", self.store, "--json"))["daemon"]["pid"]

    def peak_memory(self, pid=None):
        """VmHWM of the daemon, bytes; page cache is not in it."""
        return status_field(pid or self.daemon(), "VmHWM")

    def reset_peak(self):
        """Lets the peak begin anew from what is resident now."""
        pathlib.Path(f"/proc/{self.daemon()}/clear_refs").write_text("5")


def status_field(pid, name):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    return 0


def in_child(work, *words):
    """Calls work(*words) in a process of its own: a command's peak memory begins with what its parent holds."""
    child = os.fork()
    if child == 0:
        work(*words)
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        raise RuntimeError(f"{work.__name__} failed")


def run_printing(words):
    """(seconds, peak resident bytes, what it printed) of a command."""
    start = time.perf_counter()
    with subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, text=True) as process:
        printed = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    elapsed = time.perf_counter() - start
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, words)
    return elapsed, usage.ru_maxrss * 1024, printed


def run_measured(words):
    """(seconds, peak resident bytes) of a command."""
    return run_printing(words)[:2]

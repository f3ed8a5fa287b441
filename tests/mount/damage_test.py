"""Damaged files of the store under a real mount: each read gives the right bytes or EIO, the kernel is not handed a
damaged file, the daemon lives, and repaired files are whole again. tests/damage has many more of them without a mount."""
import errno
import json
import os
import random
import shutil
import unittest

import numpy

from mounted_store import SOURCE, MountCase

ROUNDS = max(2, 10 * int(os.environ.get("STELA_TEST_SCALE") or 100) // 100)
PIECE = 64 << 10


class DamagedFiles(MountCase):
    MOUNTED = False

    def setUp(self):
        super().setUp()
        self.chance = random.Random(5)
        flights = SOURCE / "tests/data/flights.csv"
        for dataset in ("/light", "/cold"):
            self.stela("import", self.store, dataset, flights, "--null", "NA")
        self.stela("compact", self.store, "/cold", "--cold")
        noise = numpy.random.default_rng(6)
        numpy.savez(self.folder / "flat.npz", a=noise.random(160_000), b=noise.integers(0, 1 << 60, 160_000),
                    c=noise.random((160_000, 3)).astype("f4"), small=numpy.arange(160_000) % 50)
        self.stela("import", self.store, "/flat", self.folder / "flat.npz")
        self.whole = self.folder / "whole"
        shutil.copytree(self.store / "data", self.whole)
        self.files = [path.relative_to(self.whole) for path in sorted(self.whole.rglob("*")) if path.is_file()]
        self.mount()
        self.views = {path: path.read_bytes() for dataset in ("light", "cold", "flat") for path in (self.mnt / dataset).iterdir()}
        self.by_kernel = {path for path in self.views if self.served(path) == b"passthrough"}
        status = json.loads(self.stela("status", self.store, "--json").stdout)["daemon"]
        self.assertEqual(len(self.by_kernel), 3 if status["passthrough"] else 0)
        self.umount()

    def served(self, path):
        """By whom; by nobody when that cannot even be told of its damaged file."""
        try:
            return os.getxattr(path, "user.stela.served")
        except OSError as error:
            self.assertEqual(error.errno, errno.EIO, path)
            return b"nobody"

    def damage(self, name, kind):
        data = bytearray((self.whole / name).read_bytes())
        at = self.chance.randrange(len(data))
        if kind == "flip":
            data[at] ^= 1 << self.chance.randrange(8)
        elif kind == "cut":
            del data[at:]
        else:
            size = min(4096, len(data) // 3)
            at = self.chance.randrange(len(data) - size)
            if kind == "swap":
                other = self.chance.randrange(len(data) - size)
                data[at:at + size], data[other:other + size] = data[other:other + size], data[at:at + size]
            else:
                stale = (self.whole / self.chance.choice(self.files)).read_bytes()
                data[at:at + size] = stale[at:at + size].ljust(size, b"\0")
        (self.store / "data" / name).write_bytes(data)
        return bytes(data) != (self.whole / name).read_bytes()

    def read(self, path, wanted):
        """How many of its pieces gave EIO."""
        refused = 0
        try:
            file = os.open(path, os.O_RDONLY)
        except OSError as error:
            self.assertEqual(error.errno, errno.EIO, path)
            return 1
        try:
            for at in range(0, len(wanted), PIECE):
                try:
                    self.assertTrue(os.pread(file, PIECE, at) == wanted[at:at + PIECE], f"{path} has wrong bytes at {at}")
                except OSError as error:
                    self.assertEqual(error.errno, errno.EIO, path)
                    refused += 1
        finally:
            os.close(file)
        return refused

    def test_reads_are_right_or_eio(self):
        refused = kept = 0
        for number in range(ROUNDS):
            kinds = [self.chance.choice(("flip", "swap", "cut", "stale")) for _ in self.files]
            chosen = {name for name in self.files if self.chance.random() < 0.6}
            damaged = {name for name, kind in zip(self.files, kinds) if name in chosen and self.damage(name, kind)}
            self.mount()
            pid = self.daemon_pid()
            errors = {path: self.read(path, wanted) for path, wanted in self.views.items()}
            refused += sum(errors.values())
            for path in self.by_kernel:
                if errors[path]:
                    self.assertNotEqual(self.served(path), b"passthrough", f"round {number}")
                    kept += 1
            flats = sum(str(name).endswith(".flat") for name in damaged)
            # One in a view that was read without an error is behind its values, or what was changed was not read.
            self.assertTrue(flats == 0 or not self.by_kernel or any(errors[path] for path in self.by_kernel), damaged)
            self.assertEqual(self.daemon_pid(), pid)
            self.umount()
            for name in chosen:
                shutil.copyfile(self.whole / name, self.store / "data" / name)
        self.assertGreater(refused, ROUNDS)
        self.assertTrue(kept > 0 or not self.by_kernel or ROUNDS < 5)
        self.mount()
        for path, wanted in self.views.items():
            self.assertTrue(path.read_bytes() == wanted, path)
        self.assertEqual({path for path in self.views if self.served(path) == b"passthrough"}, self.by_kernel)


if __name__ == "__main__":
    unittest.main()

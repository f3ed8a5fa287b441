"""What is listed, and what reading it gives."""
import errno
import json
import mmap
import os
import unittest

import numpy

from mounted_store import OPTIONS, MountCase, npy


class Reading(MountCase):
    def test_a_dataset_lists_its_columns_and_nothing_else(self):
        self.make_dataset(fare=[1.5, 2.5], year=[2013, 2014])
        self.append("trips", "a.csv", "fare,year\n,2015\n")
        self.assertEqual(self.names(), ["trips"])
        self.assertEqual(self.names("trips"), ["fare.npy", "fare.valid.npy", "year.npy"])
        listed = self.shell("find mnt | sort").stdout.split()
        self.assertEqual(listed, ["mnt", "mnt/trips", "mnt/trips/fare.npy", "mnt/trips/fare.valid.npy",
                                  "mnt/trips/year.npy"])

    def test_special_listed_shows_the_dot_names(self):
        self.make_dataset()
        self.umount()
        self.mount("special=listed")
        every = {".versions", ".tags", ".at", ".append", ".tx", ".schema.json", ".stats.json", ".commit.json", ".table.csv",
                 ".table.jsonl", ".table.arrow"}
        self.assertEqual(set(self.names("trips")), every | {"fare.npy"})
        self.assertIn(".stela", self.names())
        (self.mnt / "empty").mkdir()
        self.assertEqual(set(self.names("empty")), {".versions", ".tags", ".at", ".append", ".tx"})
        self.shell("ls -l mnt/trips mnt/empty mnt/trips/.versions/1")

    def test_every_dtype_reads_back_bit_for_bit(self):
        rng = numpy.random.default_rng(7)
        arrays = {}
        for dtype in ("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"):
            raw = rng.integers(0, 256, 37 * numpy.dtype(dtype).itemsize, dtype="u1")
            arrays[dtype] = (raw & 1).astype("?") if dtype == "b1" else raw.view(dtype)
        arrays["day"] = numpy.array(["2013-01-01", "NaT", "2013-12-31"] * 12 + ["1969-07-20"], "datetime64[D]")
        for unit in ("s", "ms", "us", "ns"):
            arrays["t" + unit] = numpy.arange(37).astype(f"datetime64[{unit}]")
            arrays["d" + unit] = numpy.arange(37).astype(f"timedelta64[{unit}]")
        arrays["vector"] = rng.random((37, 5)).astype("f4")
        arrays["tensor"] = rng.integers(0, 9, (37, 2, 3))
        self.make_dataset("all", **arrays)
        for name, array in arrays.items():
            with self.subTest(name):
                self.assertEqual((self.mnt / f"all/{name}.npy").read_bytes(), npy(array))
                self.assertEqual(os.stat(self.mnt / f"all/{name}.npy").st_size, len(npy(array)))

    def test_cp_of_a_npy_and_cmp_are_silent(self):
        array = numpy.random.default_rng(1).random((5000, 96)).astype("f4")
        numpy.save(self.folder / "x.npy", array)
        self.shell("mkdir mnt/ds && cp x.npy mnt/ds/ && cmp x.npy mnt/ds/x.npy")
        mapped = numpy.load(self.mnt / "ds/x.npy", mmap_mode="r")
        numpy.testing.assert_array_equal(mapped[1234], array[1234])

    def test_a_large_column_is_served_by_the_kernel_where_it_may(self):
        array = numpy.arange(1 << 20, dtype="i8")
        self.make_dataset(big=array, small=numpy.arange(1 << 20, dtype="i8"))
        path = self.mnt / "trips/big.npy"
        self.assertEqual(path.read_bytes(), npy(array))
        status = json.loads(self.stela("status", self.store, "--json").stdout)["daemon"]
        expected = b"passthrough" if status["passthrough"] else b"daemon"
        self.assertEqual(os.getxattr(path, "user.stela.served"), expected)
        if "kernel=6.1" in OPTIONS:
            self.assertFalse(status["passthrough"])
        self.umount()
        self.mount("passthrough=off")
        self.assertEqual(os.getxattr(path, "user.stela.served"), b"daemon")
        self.assertEqual(path.read_bytes(), npy(array))

    def test_rows_around_damage_are_read(self):
        values = numpy.arange(200_000)
        (self.mnt / "d").mkdir()
        numpy.save(self.mnt / "d/a.npy", values)
        wanted = (self.mnt / "d/a.npy").read_bytes()
        self.umount()
        (flat,) = (self.store / "data").rglob("*.flat")
        with open(flat, "r+b") as file:
            file.seek(40_000)
            file.write(b"oops")
        self.mount()
        for path in ("d/a.npy", "d/.versions/1/a.npy"):
            file = os.open(self.mnt / path, os.O_RDONLY)
            try:
                with self.refused(errno.EIO):
                    os.pread(file, 4096, 40_000)
                for at in (0, 200_000, len(wanted) - 1000):
                    if not 0 <= 40_000 - at < 65_536 + 128:
                        self.assertEqual(os.pread(file, 1000, at), wanted[at:at + 1000])
            finally:
                os.close(file)
        self.assertEqual(os.getxattr(self.mnt / "d/a.npy", "user.stela.served"), b"daemon")
        self.assertIn("rows", self.sentence(self.mnt / "d/a.npy"))
        self.assertEqual(self.stela("check", self.mnt, check=False).returncode, 1)

    def test_reads_anywhere_and_by_many_at_once(self):
        array = numpy.random.default_rng(3).integers(0, 1 << 60, 1 << 18)
        self.make_dataset(x=array)
        whole = npy(array)
        rng = numpy.random.default_rng(4)
        fds = [os.open(self.mnt / "trips/x.npy", os.O_RDONLY) for _ in range(8)]
        for _ in range(400):
            fd = fds[rng.integers(len(fds))]
            offset, size = int(rng.integers(0, len(whole) + 10)), int(rng.integers(0, 300_000))
            self.assertEqual(os.pread(fd, size, offset), whole[offset:offset + size])
        with mmap.mmap(fds[0], 0, prot=mmap.PROT_READ) as mapped:
            self.assertEqual(mapped[:], whole)
        for fd in fds:
            os.close(fd)

    def test_views_by_extension(self):
        (self.mnt / "d").mkdir()
        self.append("d", "a.csv", 'n,x,t,city\n1,1.0,2013-01-01T05:00:00Z,"a ""b"""\n,2.5,,\n3,,2013-01-01T06:00:00Z,""\n')
        self.assertEqual((self.mnt / "d/n.txt").read_text(), "1\n\\N\n3\n")
        self.assertEqual((self.mnt / "d/x.csv").read_text(), "x\n1.0\n2.5\n\n")
        self.assertEqual((self.mnt / "d/.table.csv").read_text(),
                         'n,x,t,city\n1,1.0,2013-01-01T05:00:00Z,"a ""b"""\n,2.5,,\n3,,2013-01-01T06:00:00Z,""\n')
        self.assertEqual(self.names("d"), ["city.arrow", "n.npy", "n.valid.npy", "t.npy", "t.valid.npy", "x.npy",
                                           "x.valid.npy"])
        self.assertTrue((self.mnt / "d/city.arrow").read_bytes().startswith(b"ARROW1"))
        self.assertEqual((self.mnt / "d/n.arrow").read_bytes()[:6], b"ARROW1")
        numpy.testing.assert_array_equal(self.load("d/n.valid.npy"), [True, False, True])
        self.assertEqual(os.stat(self.mnt / "d/.table.csv").st_size, len((self.mnt / "d/.table.csv").read_bytes()))
        self.assertEqual(self.shell("wc -c < mnt/d/n.txt").stdout.strip(), "7")

    def test_valid_is_reachable_without_nulls_and_true(self):
        self.make_dataset(fare=[1.0, 2.0])
        self.assertEqual(self.names("trips"), ["fare.npy"])
        numpy.testing.assert_array_equal(self.load("trips/fare.valid.npy"), [True, True])

    def test_schema_stats_and_commit(self):
        self.make_dataset(fare=[1.5, 2.5])
        schema = json.loads((self.mnt / "trips/.schema.json").read_text())
        self.assertEqual(schema["rows"], 2)
        self.assertEqual(schema["columns"], [{"name": "fare", "type": "float64", "nullable": True, "file": "fare.npy"}])
        commit = json.loads((self.mnt / "trips/.commit.json").read_text())
        self.assertEqual((commit["version"], commit["rows"]), (1, 2))
        self.assertRegex(commit["time"], r"^\d{4}-\d\d-\d\dT[\d:.]+Z$")
        json.loads((self.mnt / "trips/.stats.json").read_text())

    def test_dot_stela_reads_like_proc(self):
        self.make_dataset()
        folder = self.mnt / ".stela"
        self.assertTrue((folder / "README").read_text())
        self.assertIn("0.1.0", (folder / "version").read_text())
        self.assertIn("stela_", (folder / "metrics").read_text())
        self.assertIsInstance(json.loads((folder / "status.json").read_text()), dict)
        self.assertEqual(self.errors(), [])

    def test_attributes(self):
        array = numpy.arange(1 << 19)
        self.make_dataset(fare=array)
        path = self.mnt / "trips/fare.npy"
        found = os.stat(path)
        self.assertEqual(found.st_nlink, 1)
        self.assertGreaterEqual(found.st_blocks * 512, array.nbytes // 2)
        self.assertEqual(found.st_mode & 0o111, 0)
        for name, value in (("rows", str(len(array))), ("version", "1"), ("type", "int64")):
            self.assertEqual(os.getxattr(path, "user.stela." + name).decode(), value)
        self.assertEqual(os.listxattr(path), [])  # copies do not have them
        for name in ("user.other", "security.capability", "user.stela.error"):
            with self.refused(errno.ENODATA):
                os.getxattr(path, name)
        with self.refused(errno.ENOTSUP, errno.EPERM):
            os.setxattr(path, "user.mine", b"x")
        self.assertGreater(os.statvfs(self.mnt).f_blocks, 0)

    def test_a_column_shared_by_versions_is_one_inode(self):
        self.make_dataset(fare=[1.0, 2.0])
        self.write(self.mnt / "trips/tip.npy", npy(numpy.array([0.1, 0.2])))
        inodes = {os.stat(self.mnt / f"trips/.versions/{n}/fare.npy").st_ino for n in (1, 2)}
        self.assertEqual(inodes, {os.stat(self.mnt / "trips/fare.npy").st_ino})
        self.append("trips", "a.csv", "fare,tip\n3,0.3\n")
        self.assertNotIn(os.stat(self.mnt / "trips/fare.npy").st_ino, inodes)

    def test_what_comes_later_says_so(self):
        self.make_dataset()
        for name in (".where", ".by", ".order", ".select", ".limit", ".sample", ".nearest", ".index", ".upsert"):
            with self.subTest(name), self.refused(errno.ENOTSUP):
                os.listdir(self.mnt / "trips" / name)

    def test_many_columns_list_and_stat(self):
        (self.mnt / "wide").mkdir()
        header = ",".join(f"c{i}" for i in range(1000))
        self.append("wide", "a.csv", header + "\n" + ",".join(map(str, range(1000))) + "\n")
        entries = list(os.scandir(self.mnt / "wide"))
        self.assertEqual(len(entries), 1000)
        self.assertEqual({entry.stat().st_size for entry in entries}, {136})
        self.assertEqual(len(self.shell("ls -l mnt/wide").stdout.splitlines()), 1001)


if __name__ == "__main__":
    unittest.main()

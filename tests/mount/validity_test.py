"""Nulls as files: .valid.npy written by itself, and by the tools that copy whole datasets."""
import errno
import os
import shutil
import unittest

import numpy

from mounted_store import MountCase, npy

ROWS = 1000


class Validity(MountCase):
    def make_nulls(self, dataset="t"):
        """Eight columns of several types, the odd ones with nulls, and one of text."""
        lines = [",".join([*(f"c{n}" for n in range(8)), "city"])]
        for row in range(ROWS):
            fields = [str(row), f"{row}.5", "true" if row % 2 else "false", "2020-01-02", "2020-01-02T03:04:05", "-1",
                      "0.25", "7"]
            lines.append(",".join("" if n % 2 and row % (n + 2) == 0 else field for n, field in enumerate(fields))
                         + (",x" if row % 5 else ","))
        (self.mnt / dataset).mkdir()
        self.append(dataset, "x.csv", "\n".join(lines) + "\n")

    def check_same(self, dataset, other="t"):
        self.assertEqual(self.names(dataset), self.names(other))
        self.assertIn("c1.valid.npy", self.names(dataset))
        for name in self.names(other):
            self.assertEqual((self.mnt / dataset / name).read_bytes(), (self.mnt / other / name).read_bytes(), name)

    def out_and_in(self, out, into, again):
        """`out` takes mnt/t to out/t; `into` brings out/t to mnt/copy/t; `again` does so over what is there."""
        self.make_nulls()
        self.shell("mkdir out && " + out)
        (self.mnt / "copy").mkdir()
        self.shell(into)
        self.check_same("copy/t")
        self.shell(again)
        self.check_same("copy/t")

    def test_cp_r(self):
        self.out_and_in("cp -r mnt/t out/", "cp -r out/t mnt/copy/", "cp -r out/t mnt/copy/")

    def test_cp_a(self):
        self.out_and_in("cp -a mnt/t out/", "cp -a out/t mnt/copy/", "cp -a out/t mnt/copy/")

    def test_cp_r_with_nulls_before_their_columns(self):
        """The order of cp -r is the order of inodes: turned round here, file by file."""
        by_name = "for f in $(ls -r out/t); do cp -r out/t/$f mnt/copy/t/ || exit 1; done"
        self.out_and_in("cp -r mnt/t out/", "mkdir mnt/copy/t && " + by_name, "cp -r out/t/. mnt/copy/t/")
        turned = "mkdir out/u && for f in $(ls -r out/t); do cp out/t/$f out/u/; done && cp -r out/u/. mnt/copy/t/"
        self.shell(turned)
        self.check_same("copy/t")

    def test_copies_with_extended_attributes(self):
        """Programs that copy attributes find none here, and say nothing."""
        for number, (out, into) in enumerate((
                ("cp -r --preserve=all mnt/t {}/", "cp -r --preserve=all {}/t mnt/{}/"),
                ("rsync -aX mnt/t {}/", "rsync -aX {}/t mnt/{}/"),
                ("tar --xattrs -C mnt -cf {}/t.tar t", "tar --xattrs -C mnt/{1} -xf {0}/t.tar"))):
            if number == 0:
                self.make_nulls()
            folder, name = f"out{number}", f"copy{number}"
            with self.subTest(out):
                (self.mnt / name).mkdir()
                said = self.shell(f"mkdir {folder} && " + out.format(folder) + " && " + into.format(folder, name))
                self.assertEqual(said.stderr, "")
                self.check_same(f"{name}/t")

    def test_tar(self):
        self.out_and_in("tar -C mnt -cf out/t.tar t", "tar -C mnt/copy -xf out/t.tar", "tar -C mnt/copy -xf out/t.tar")

    def test_tar_with_nulls_before_their_columns(self):
        self.out_and_in("tar -C mnt -cf out/t.tar $(cd mnt && ls -r t/* | tr '\\n' ' ')", "tar -C mnt/copy -xf out/t.tar",
                        "tar -C mnt/copy -xf out/t.tar")

    def test_rsync(self):
        rsync = "rsync -a out/t mnt/copy/"
        self.out_and_in("rsync -a mnt/t out/", rsync, rsync)
        version = self.version("copy/t")
        self.assertEqual(self.shell("rsync -ai out/t mnt/copy/").stdout, "")
        self.assertEqual(self.version("copy/t"), version)

    def test_rsync_of_files_that_numpy_made_at_different_times(self):
        folder = self.folder / "local"
        folder.mkdir()
        numpy.save(folder / "x.npy", numpy.arange(4.0))
        numpy.save(folder / "x.valid.npy", numpy.array([True, False, True, False]))
        os.utime(folder / "x.npy", (1_000_000_000, 1_000_000_000))
        os.utime(folder / "x.valid.npy", (1_000_000_005, 1_000_000_005))
        self.shell("rsync -a local/ mnt/d/ && rsync -ai local/ mnt/d/ > said")
        self.assertEqual((self.folder / "said").read_text(), "")
        self.assertEqual((self.mnt / "d/x.txt").read_text(), "0.0\n\\N\n2.0\n\\N\n")

    def test_shutil_copytree(self):
        self.make_nulls()
        shutil.copytree(self.mnt / "t", self.folder / "out")
        shutil.copytree(self.folder / "out", self.mnt / "copy")
        self.check_same("copy")
        shutil.copytree(self.folder / "out", self.mnt / "copy", dirs_exist_ok=True)
        self.check_same("copy")

    def test_np_save(self):
        self.make_dataset(x=[1, 2, 3])
        numpy.save(self.mnt / "trips/x.valid.npy", numpy.array([True, False, True]))
        self.assertEqual(self.names("trips"), ["x.npy", "x.valid.npy"])
        self.assertEqual((self.mnt / "trips/x.csv").read_text(), "x\n1\n\n3\n")
        self.assertEqual(self.load("trips/.versions/1/x.npy").tolist(), [1, 2, 3])
        numpy.save(self.mnt / "trips/x.valid.npy", numpy.array([True, True, True]))
        self.assertEqual(self.names("trips"), ["x.npy"])
        self.assertEqual(self.load("trips/x.npy").tolist(), [1, 0, 3])

    def test_refusals(self):
        self.make_dataset(x=[1, 2, 3])
        path = self.mnt / "trips/x.valid.npy"
        for array, says in ((numpy.array([True]), "the array has 1 row and the dataset has 3"),
                            (numpy.array([1, 0, 1]), "bool array"), (numpy.ones((3, 1), bool), "one dimension")):
            with self.refused(errno.EINVAL):
                self.write(path, npy(array))
            self.assertIn(says, self.sentence(path))
        self.assertEqual(self.version(), 1)

    def test_unlink_does_nothing(self):
        self.make_nulls()
        self.shell("rm mnt/t/c1.valid.npy")
        self.assertIn("c1.valid.npy", self.names("t"))
        self.assertFalse(numpy.load(self.mnt / "t/c1.valid.npy").all())
        self.shell("rm -r mnt/t")
        self.assertEqual(self.names(), [])

    def test_import(self):
        self.make_dataset(x=[1, 2, 3])
        (self.folder / "m.npy").write_bytes(npy(numpy.array([False, True, True])))
        self.stela("import", self.store, "/trips/x.valid.npy", self.folder / "m.npy")
        self.assertEqual((self.mnt / "trips/x.txt").read_text(), "\\N\n2\n3\n")


if __name__ == "__main__":
    unittest.main()

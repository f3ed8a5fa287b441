"""Columns as files that are written: new, replaced, renamed, dropped; folders and datasets."""
import errno
import json
import os
import threading
import unittest

import numpy

from mounted_store import MountCase, npy, wait_until


class Columns(MountCase):
    def test_np_save_makes_a_column(self):
        self.make_dataset(fare=[1.0, 2.0])
        numpy.save(self.mnt / "trips/tip.npy", numpy.array([3, 4]))
        self.assertEqual(self.names("trips"), ["fare.npy", "tip.npy"])
        numpy.testing.assert_array_equal(self.load("trips/tip.npy"), [3, 4])
        self.assertEqual(self.version(), 2)

    def test_arrow_goes_from_dataset_to_dataset(self):
        (self.mnt / "a").mkdir()
        self.append("a", "x.csv", "city\nBerlin\n\"\"\nParis\n")
        (self.mnt / "b").mkdir()
        self.shell("cp mnt/a/city.arrow mnt/b/ && cmp mnt/a/city.arrow mnt/b/city.arrow")
        self.assertEqual((self.mnt / "b/city.txt").read_bytes(), (self.mnt / "a/city.txt").read_bytes())

    def test_a_renamed_column_can_be_written_at_once(self):
        self.make_dataset(fare=[1.0, 2.0])
        self.load("trips/fare.npy")
        os.rename(self.mnt / "trips/fare.npy", self.mnt / "trips/price.npy")
        self.write(self.mnt / "trips/price.npy", npy(numpy.array([3.0, 4.0])))
        os.rename(self.mnt / "trips/price.npy", self.mnt / "trips/fare.npy")
        fd = os.open(self.mnt / "trips/fare.npy", os.O_RDWR)
        os.pwrite(fd, numpy.array([5.0]).tobytes(), 128)
        os.close(fd)
        self.assertEqual(self.load("trips/fare.npy").tolist(), [5.0, 4.0])

    def test_replacement_keeps_old_handles_and_versions(self):
        self.make_dataset(fare=[1.0, 2.0])
        old = open(self.mnt / "trips/fare.npy", "rb")
        numpy.save(self.mnt / "trips/fare.npy", numpy.array([5, 6]))
        self.assertEqual(old.read(), npy(numpy.array([1.0, 2.0])))
        old.close()
        self.assertEqual(self.load("trips/fare.npy").tolist(), [5, 6])
        self.assertEqual(self.load("trips/.versions/1/fare.npy").tolist(), [1.0, 2.0])
        self.assertEqual(self.version(), 2)

    def test_readers_see_the_old_column_until_the_writer_closes(self):
        self.make_dataset(fare=[1.0, 2.0])
        fd = os.open(self.mnt / "trips/fare.npy", os.O_WRONLY | os.O_TRUNC)
        os.write(fd, npy(numpy.array([7.0, 8.0])))
        self.assertEqual(os.fstat(fd).st_size, 144)
        self.assertEqual(self.load("trips/fare.npy").tolist(), [1.0, 2.0])
        os.close(fd)
        self.assertEqual(self.load("trips/fare.npy").tolist(), [7.0, 8.0])

    def test_racing_replacements_beside_mapped_readers(self):
        """ESTALE and a second lookup give each writable open its own node; no open fails, no map changes."""
        size = 1 << 18
        self.make_dataset(x=numpy.zeros(size))
        path = self.mnt / "trips/x.npy"
        failures = []

        def read():
            try:
                for _ in range(40):
                    mapped = numpy.load(path, mmap_mode="r")
                    first = mapped[0]
                    if not (mapped[:] == first).all() or mapped[-1] != first:
                        failures.append("a torn map")
            except OSError as error:
                failures.append(f"reader: {error}")

        def write(value):
            data = npy(numpy.full(size, float(value)))
            for _ in range(20):
                try:
                    self.write(path, data, os.O_TRUNC)
                except OSError as error:
                    if error.errno != errno.ESTALE or error.filename is not None:  # a lost race shows at close only
                        failures.append(f"writer: {error!r}")

        threads = [threading.Thread(target=read) for _ in range(3)]
        threads += [threading.Thread(target=write, args=(n,)) for n in range(1, 4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(50)
            self.assertFalse(thread.is_alive())
        self.assertEqual(failures, [])

    def test_rename_and_drop(self):
        self.make_dataset(a=[1, 2], b=[3, 4])
        self.shell("mv mnt/trips/a.npy mnt/trips/c.npy")
        self.assertEqual(self.names("trips"), ["b.npy", "c.npy"])
        self.assertEqual(self.load("trips/c.npy").tolist(), [1, 2])
        self.shell("mv mnt/trips/c.npy mnt/trips/b.npy")
        self.assertEqual(self.names("trips"), ["b.npy"])
        self.assertEqual(self.load("trips/b.npy").tolist(), [1, 2])
        os.unlink(self.mnt / "trips/b.npy")
        self.assertEqual(self.names("trips"), [])
        self.assertEqual(self.load("trips/.versions/2/b.npy").tolist(), [3, 4])

    def test_valid_files_are_removed_with_their_column(self):
        (self.mnt / "t").mkdir()
        self.append("t", "x.csv", "a,b\n1,\n,2\n")
        self.shell("rm mnt/t/a.npy mnt/t/a.valid.npy")
        self.assertEqual(self.names("t"), ["b.npy", "b.valid.npy"])

    def test_a_column_is_replaced_by_one_of_another_type(self):
        (self.mnt / "t").mkdir()
        self.append("t", "x.csv", "a,b\n1,x\n2,y\n")
        with self.refused(errno.ENOTSUP):
            (self.mnt / "t/b.npy").read_bytes()
        text = (self.mnt / "t/b.arrow").read_bytes()
        numpy.save(self.mnt / "t/a.npy", numpy.array([0.5, 1.5], numpy.float32))  # the listed form stays
        numpy.save(self.mnt / "t/b.npy", numpy.array([7, 8]))
        self.assertEqual(self.names("t"), ["a.npy", "b.npy"])
        self.assertEqual((self.load("t/a.npy").tolist(), self.load("t/b.npy").tolist()), ([0.5, 1.5], [7, 8]))
        self.assertEqual((self.mnt / "t/.versions/1/b.arrow").read_bytes(), text)
        self.write(self.mnt / "t/b.arrow", text)  # and back
        self.assertEqual(self.names("t"), ["a.npy", "b.arrow"])
        self.assertEqual((self.mnt / "t/b.txt").read_text(), "x\ny\n")
        with self.refused(errno.EINVAL):
            self.write(self.mnt / "t/b.npy", npy(numpy.arange(3)))
        self.assertIn("3 rows", self.sentence(self.mnt / "t/b.npy"))
        self.assertEqual((self.mnt / "t/b.txt").read_text(), "x\ny\n")

    def test_atomic_savers_rename_a_temporary_name(self):
        self.make_dataset(x=[1, 2])
        self.write(self.mnt / "trips/.x.npy.Ab12Cd", npy(numpy.array([8, 9])))
        self.assertEqual(self.names("trips"), ["x.npy"])
        self.assertEqual(self.version(), 1)
        os.rename(self.mnt / "trips/.x.npy.Ab12Cd", self.mnt / "trips/x.npy")
        self.assertEqual(self.load("trips/x.npy").tolist(), [8, 9])
        self.write(self.mnt / "trips/tmp1.npy~", b"scratch")
        self.assertEqual((self.mnt / "trips/tmp1.npy~").read_bytes(), b"scratch")
        with self.refused(errno.EINVAL):
            os.rename(self.mnt / "trips/x.npy", self.mnt / "trips/x.tmp")

    def test_folders_and_datasets_move_and_go(self):
        self.shell("mkdir -p mnt/team/one && mkdir mnt/two")
        self.write(self.mnt / "team/one/a.npy", npy(numpy.arange(3)))
        self.shell("mv mnt/team/one mnt/two/ && mv mnt/two/one mnt/two/three")
        self.assertEqual(self.load("two/three/a.npy").tolist(), [0, 1, 2])
        self.assertEqual(self.names("team"), [])
        with self.refused(errno.ENOTEMPTY):
            os.rmdir(self.mnt / "two/three")
        self.shell("rm -r mnt/two mnt/team")
        self.assertEqual(self.names(), [])
        self.stela("restore", self.mnt, "/two/three")
        self.assertEqual(self.load("two/three/a.npy").tolist(), [0, 1, 2])

    def test_cp_r_out_loses_no_null_and_back_makes_the_dataset(self):
        (self.mnt / "t").mkdir()
        self.append("t", "x.csv", "a,city\n1,x\n,\n3,z\n")
        self.shell("cp -r mnt/t out")
        self.assertEqual(numpy.load(self.folder / "out/a.valid.npy").tolist(), [True, False, True])
        self.make_dataset("u", b=[1, 2, 3], c=[0.5, 1.5, 2.5])
        self.shell("cp mnt/t/city.arrow mnt/u/ && cp -r mnt/u out2 && cp -r out2 mnt/copy && diff -r mnt/copy out2")
        self.assertEqual((self.mnt / "copy/city.txt").read_text(), "x\n\\N\nz\n")
        self.assertEqual(self.load("copy/c.npy").tolist(), [0.5, 1.5, 2.5])

    def test_names_that_need_encoding(self):
        (self.mnt / "t").mkdir()
        self.append("t", "x.csv", "a/b,.dot,a.valid,ünï\n1,2,3,4\n")
        schema = {c["name"]: c["file"] for c in json.loads((self.mnt / "t/.schema.json").read_text())["columns"]}
        self.assertEqual(sorted(self.names("t")), sorted(schema.values()))
        self.assertEqual(self.load("t/" + schema["a/b"]).tolist(), [1])
        self.assertEqual(schema["ünï"], "ünï.npy")

    def test_times_set_on_a_column_are_kept(self):
        self.make_dataset(x=[1, 2])
        os.utime(self.mnt / "trips/x.npy", (1_000_000_000, 1_100_000_000))
        self.assertEqual(os.stat(self.mnt / "trips/x.npy").st_mtime, 1_100_000_000)
        self.assertEqual(os.stat(self.mnt / "trips/.versions/1/x.npy").st_mtime, 1_100_000_000)
        mode = os.stat(self.mnt / "trips/x.npy").st_mode & 0o777
        os.chmod(self.mnt / "trips/x.npy", mode)
        with self.refused(errno.EPERM):
            os.chmod(self.mnt / "trips/x.npy", mode ^ 0o040)
        os.chmod(self.mnt / "trips", 0o700)
        self.assertEqual(os.stat(self.mnt / "trips").st_mode & 0o777, 0o700)
        for path in ("trips/x.npy", "trips/.versions/1", "trips/.versions/1/x.npy"):
            wait_until(lambda: os.stat(self.mnt / path).st_mode & 0o077 == 0, f"a chmod of the dataset closes {path}")

    def test_special_files_and_hard_links_are_refused(self):
        self.make_dataset(x=[1, 2])
        with self.refused(errno.EPERM):
            os.mkfifo(self.mnt / "trips/pipe")
        with self.refused(errno.EPERM):
            os.link(self.mnt / "trips/x.npy", self.mnt / "trips/y.npy")


class Versions(MountCase):
    def setUp(self):
        super().setUp()
        self.make_dataset(a=[1])
        for n in (2, 3):
            self.append("trips", f"{n}.csv", f"a\n{n}\n")

    def test_each_version_is_a_folder(self):
        self.assertEqual(self.names("trips/.versions"), ["1", "2", "3", "latest"])
        for n in (1, 2, 3):
            self.assertEqual(self.load(f"trips/.versions/{n}/a.npy").tolist(), list(range(1, n + 1)))
        self.assertEqual(os.readlink(self.mnt / "trips/.versions/latest"), "3")
        self.assertEqual(self.load("trips/.versions/latest/a.npy").tolist(), [1, 2, 3])
        with self.refused(errno.ENOENT):
            os.listdir(self.mnt / "trips/.versions/4")

    def test_a_version_is_read_only(self):
        old = self.mnt / "trips/.versions/1"
        for change in (lambda: os.unlink(old / "a.npy"), lambda: os.mkdir(old / "x"),
                       lambda: os.open(old / "a.npy", os.O_WRONLY),
                       lambda: os.open(old / "a.npy", os.O_RDWR | os.O_TRUNC),
                       lambda: os.rename(old / "a.npy", old / "b.npy"), lambda: self.write(old / "c.npy", b"x"),
                       lambda: os.truncate(old / "a.npy", 0), lambda: os.chmod(old / "a.npy", 0o600)):
            with self.refused(errno.EROFS):
                change()
        self.assertEqual(os.stat(old).st_mode & 0o222, 0)

    def test_tags(self):
        self.shell("ln -s ../.versions/2 mnt/trips/.tags/v1 && mv mnt/trips/.tags/v1 mnt/trips/.tags/v1.0")
        self.assertEqual(os.readlink(self.mnt / "trips/.tags/v1.0"), "../.versions/2")
        self.assertEqual(self.load("trips/.tags/v1.0/a.npy").tolist(), [1, 2])
        for target in (("../.versions/9", "/etc", "../.versions", "../../other/.versions/1")):
            with self.subTest(target), self.refused(errno.EINVAL):
                os.symlink(target, self.mnt / f"trips/.tags/new")
        os.symlink("../.versions/1", self.mnt / "trips/.tags/new")  # the name is free
        os.unlink(self.mnt / "trips/.tags/new")
        with self.refused(errno.EEXIST):
            os.symlink("../.versions/1", self.mnt / "trips/.tags/v1.0")
        self.umount()
        self.mount()
        self.assertEqual(self.names("trips/.tags"), ["v1.0"])
        os.unlink(self.mnt / "trips/.tags/v1.0")
        self.assertEqual(self.names("trips/.tags"), [])
        self.assertEqual(self.version(), 3)

    def test_at_a_time(self):
        commit = json.loads((self.mnt / "trips/.versions/2/.commit.json").read_text())
        for name, rows in ((commit["time"], 2), ("2100-01-01", 3), ("@4102444800", 3)):
            self.assertEqual(len(self.load(f"trips/.at/{name}/a.npy")), rows)
        with self.refused(errno.ENOENT):
            os.listdir(self.mnt / "trips/.at/1970-01-02")
        with self.refused(errno.EINVAL):
            os.listdir(self.mnt / "trips/.at/yesterday")

    def test_a_pinned_folder_stays_consistent(self):
        done = self.shell("cd -P mnt/trips/.versions/latest && printf 'a\\n4\\n' > ../../.append/x.csv && "
                          "wc -l < a.txt && cd ../latest/ && wc -l < a.txt")
        self.assertEqual(done.stdout.split(), ["3", "4"])

    def test_the_head_shows_commits_at_once(self):
        for n in range(4, 24):
            self.append("trips", "x.csv", f"a\n{n}\n")
            self.assertEqual(len(self.load("trips/a.npy")), n)
            self.assertEqual(self.version(), n)


if __name__ == "__main__":
    unittest.main()

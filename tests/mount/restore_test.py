"""Going back to an older version with `stela restore --to`, beside a mount."""
import errno
import json
import os

import numpy

from mounted_store import MountCase, npy


class Restore(MountCase):
    def make_history(self):
        """1: fare; 2: two more rows; 3: cells changed in place; 4: tip; 5: fare renamed."""
        self.make_dataset(fare=[0, 1, 2])
        self.append("trips", "more.csv", "fare\n3\n4\n")
        fd = os.open(self.mnt / "trips/fare.npy", os.O_RDWR)
        os.pwrite(fd, numpy.array([10]).tobytes(), 128 + 8)
        os.close(fd)
        self.write(self.mnt / "trips/tip.npy", npy(numpy.arange(5)))
        os.rename(self.mnt / "trips/fare.npy", self.mnt / "trips/price.npy")

    def picture(self, folder):
        return {name: (self.mnt / folder / name).read_bytes() for name in self.names(folder)}

    def test_to_a_version_a_tag_and_a_time_and_back(self):
        self.make_history()
        os.symlink("../.versions/2", self.mnt / "trips/.tags/two")
        times = {version["version"]: version["time"] for version in map(
            json.loads, self.stela("log", self.store, "/trips", "--json").stdout.splitlines())}
        pictures = {number: self.picture(f"trips/.versions/{number}") for number in range(1, 6)}
        for to, shows in (("1", 1), ("two", 2), (times[3], 3), ("4", 4), ("5", 5)):
            done = self.stela("restore", self.store, "/trips", "--to", to, "-m", "back")
            self.assertIn(f"version {shows} again", done.stdout)
            self.assertEqual(self.picture("trips"), pictures[shows], to)
        self.assertEqual(self.version(), 10)
        for number in range(1, 6):
            self.assertEqual(self.picture(f"trips/.versions/{number}"), pictures[number])
            self.assertEqual(self.picture(f"trips/.versions/{number + 5}"), pictures[number])
        commit = json.loads((self.mnt / "trips/.commit.json").read_text())
        self.assertEqual((commit["operation"], commit["message"], commit["rows"]), ("restore", "back", 5))
        done = self.stela("restore", self.store, "/trips", "--to", "10", check=False)
        self.assertEqual((done.returncode, "nothing later" in done.stderr), (1, True))
        self.assertEqual(self.version(), 10)
        self.umount()
        self.stela("check", self.store)
        self.mount()
        self.assertEqual(self.picture("trips"), pictures[5])

    def test_what_comes_after(self):
        self.make_history()
        self.stela("restore", self.store, "/trips", "--to", "1")
        self.append("trips", "more.csv", "fare\n7\n")
        self.assertEqual(self.load("trips/fare.npy").tolist(), [0, 1, 2, 7])
        self.write(self.mnt / "trips/tip.npy", npy(numpy.arange(4.0)))
        mapped = numpy.load(self.mnt / "trips/fare.npy", mmap_mode="r+")
        mapped[3] = 70
        mapped.flush()
        del mapped
        self.assertEqual((self.mnt / "trips/.table.csv").read_text(), "fare,tip\n0,0.0\n1,1.0\n2,2.0\n70,3.0\n")
        statistics = json.loads((self.mnt / "trips/.stats.json").read_text())
        self.assertIn("70", json.dumps(statistics))
        self.assertEqual(self.load("trips/.versions/5/price.npy").tolist(), [0, 10, 2, 3, 4])

    def test_what_a_command_committed_is_seen_at_once(self):
        self.make_dataset(fare=[0, 1, 2])
        self.append("trips", "more.csv", "fare\n3\n")
        for name in ("fare.csv", "fare.txt", "fare.npy"):  # the kernel may hold these names for a while
            (self.mnt / "trips" / name).read_bytes()
        self.stela("restore", self.store, "/trips", "--to", "1")
        self.assertEqual((self.mnt / "trips/fare.csv").read_text(), "fare\n0\n1\n2\n")
        self.assertEqual((self.mnt / "trips/fare.txt").read_text(), "0\n1\n2\n")
        self.assertEqual(self.load("trips/fare.npy").tolist(), [0, 1, 2])

    def test_a_writer_of_removed_rows_loses(self):
        self.make_dataset(fare=[0, 1, 2])
        self.append("trips", "more.csv", "fare\n3\n4\n")
        fd = os.open(self.mnt / "trips/fare.npy", os.O_RDWR)
        os.pwrite(fd, bytes(8), 128 + 8 * 4)
        self.stela("restore", self.store, "/trips", "--to", "1")
        with self.refused(errno.ESTALE):
            os.close(fd)
        self.assertEqual(self.load("trips/fare.npy").tolist(), [0, 1, 2])

    def test_refusals(self):
        self.make_history()
        for to, says in (("9", "no version 9"), ("0", "no version 0"), ("v9", "neither a version"),
                         ("1970-01-01", "no version at"), ("a/b", "neither a version")):
            done = self.stela("restore", self.store, "/trips", "--to", to, check=False)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn(says, done.stderr)
        self.assertEqual(self.stela("restore", self.store, "/none", "--to", "1", check=False).returncode, 1)
        self.assertEqual(self.version(), 5)


if __name__ == "__main__":
    import unittest

    unittest.main()

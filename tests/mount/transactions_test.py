"""Transactions through a mount: .tx/NAME of a dataset and .stela/tx/NAME of all, as people and their programs use them."""
import errno
import json
import os
import shutil
import signal

import numpy

from mounted_store import MountCase, npy, wait_until


class Transactions(MountCase):
    def setUp(self):
        super().setUp()
        self.make_dataset(fare=numpy.arange(4.0), tip=numpy.zeros(4))
        (self.mnt / "cities").mkdir()
        self.append("cities", "a.csv", "name,people\nOslo,7\nRoma,28\n")

    def begin(self, name="job", dataset="trips"):
        folder = self.mnt / dataset / ".tx" / name if dataset else self.mnt / ".stela/tx" / name
        folder.mkdir()
        return folder

    def commit(self, folder, message="done"):
        self.write(folder / ".commit", message + "\n", 0)

    def loaded(self, path):
        return numpy.load(path).tolist()

    def cells(self, path, values):
        """Changes in place, through a mapping."""
        mapped = numpy.load(path, mmap_mode="r+")
        for row, value in values.items():
            mapped[row] = value
        mapped.flush()
        del mapped

    # ---- what it shows

    def test_it_reads_its_own_writes_and_nobody_else_does(self):
        job = self.begin()
        self.assertEqual(sorted(os.listdir(job)), ["fare.npy", "tip.npy"])
        self.write(job / ".append/more.csv", "fare,tip\n10,1\n11,1\n")
        self.assertEqual(self.loaded(job / "fare.npy"), [0, 1, 2, 3, 10, 11])
        self.cells(job / "fare.npy", {0: -1, 5: -11})
        self.assertEqual(self.loaded(job / "fare.npy"), [-1, 1, 2, 3, 10, -11])
        self.cells(job / "fare.npy", {1: -2})
        self.assertEqual(self.loaded(job / "fare.npy"), [-1, -2, 2, 3, 10, -11])
        numpy.save(job / "day.npy", numpy.arange(6))
        numpy.save(job / "tip.npy", numpy.arange(6, dtype=numpy.int32))
        os.rename(job / "day.npy", job / "date.npy")
        self.assertEqual(sorted(os.listdir(job)), ["date.npy", "fare.npy", "tip.npy"])
        self.assertEqual((job / ".table.csv").read_text().splitlines()[:3], ["fare,date,tip", "-1.0,0,0", "-2.0,1,1"])
        self.assertEqual((job / "fare.txt").read_text().split(), ["-1.0", "-2.0", "2.0", "3.0", "10.0", "-11.0"])
        self.assertEqual((job / "tip.npy").read_bytes(), npy(numpy.arange(6, dtype=numpy.int32)))
        self.assertEqual((job / "tip.npy").stat().st_size, len(npy(numpy.arange(6, dtype=numpy.int32))))
        self.assertEqual(json.loads((job / ".schema.json").read_text())["rows"], 6)
        os.unlink(job / "date.npy")
        self.assertEqual(sorted(os.listdir(job)), ["fare.npy", "tip.npy"])
        with self.assertRaises(FileNotFoundError):
            (job / "date.npy").stat()
        # outside of it
        self.assertEqual(self.version(), 2)
        self.assertEqual(self.loaded(self.mnt / "trips/fare.npy"), [0, 1, 2, 3])
        self.assertEqual(self.names("trips"), ["fare.npy", "tip.npy"])
        self.assertEqual(self.names("trips/.tx"), ["job"])

    def test_it_does_not_see_what_others_commit(self):
        job = self.begin()
        other = self.begin("other")
        self.append("trips", "a.csv", "fare,tip\n4,4\n")
        self.cells(self.mnt / "trips/tip.npy", {0: 5})
        self.cells(other / "fare.npy", {3: 33})
        self.assertEqual(self.loaded(job / "fare.npy"), [0, 1, 2, 3])
        self.assertEqual(self.loaded(job / "tip.npy"), [0, 0, 0, 0])
        self.cells(job / "fare.npy", {0: 9})
        self.commit(other, "the other's")
        self.assertEqual(self.loaded(job / "fare.npy"), [9, 1, 2, 3])
        self.commit(job, "mine")
        self.assertEqual(self.loaded(self.mnt / "trips/fare.npy"), [9, 1, 2, 33, 4])
        self.assertEqual(self.loaded(self.mnt / "trips/tip.npy"), [5, 0, 0, 0, 4])

    def test_a_commit_is_one_version_with_its_message(self):
        job = self.begin()
        numpy.save(job / "day.npy", numpy.arange(4))
        self.cells(job / "fare.npy", {2: 22})
        self.write(job / ".append/b.jsonl", '{"fare": 5, "tip": 0.5, "day": 4}\n')
        held = numpy.load(job / "fare.npy", mmap_mode="r")
        self.assertEqual((job / ".check").read_text(), "ok\n")
        self.shell(f"echo fares of May > '{job}/.commit'")
        self.assertFalse(job.exists())
        self.assertEqual(self.names("trips/.tx"), [])
        self.assertEqual(self.version(), 3)
        record = json.loads((self.mnt / "trips/.commit.json").read_text())
        self.assertEqual((record["operation"], record["message"], record["rows"]), ("transaction", "fares of May", 5))
        self.assertEqual(self.loaded(self.mnt / "trips/fare.npy"), [0, 1, 22, 3, 5])
        self.assertEqual(self.loaded(self.mnt / "trips/day.npy"), [0, 1, 2, 3, 4])
        self.assertEqual(self.loaded(self.mnt / "trips/.versions/2/fare.npy"), [0, 1, 2, 3])
        self.assertEqual(held.tolist(), [0, 1, 22, 3, 5])  # what was opened in it can be read on
        self.assertIn("fares of May", self.stela("log", self.store, "/trips").stdout)

    def test_a_large_one_is_as_good(self):
        values = numpy.random.default_rng(3).random(400_000)
        job = self.begin(dataset="cities", name="big")
        for name in ("name.arrow", "people.npy"):
            os.unlink(job / name)
        numpy.save(job / "v.npy", values)
        self.cells(job / "v.npy", {7: -7, 399_999: -1})
        values[[7, 399_999]] = -7, -1
        numpy.testing.assert_array_equal(numpy.load(job / "v.npy"), values)
        self.write(job / ".append/v.npy", npy(values))
        numpy.testing.assert_array_equal(numpy.load(job / "v.npy"), numpy.concatenate([values, values]))
        self.commit(job)
        numpy.testing.assert_array_equal(self.load("cities/v.npy"), numpy.concatenate([values, values]))
        self.assertEqual(self.names("cities"), ["v.npy"])

    # ---- ends

    def test_a_lost_race_keeps_the_folder_and_changes_nothing(self):
        job = self.begin()
        self.write(job / ".append/a.csv", "fare,tip\n8,8\n")
        self.cells(job / "fare.npy", {1: 100})
        self.cells(self.mnt / "trips/fare.npy", {1: 50})
        sentence = (job / ".check").read_text()
        self.assertIn("row 1 of column 'fare' was changed by version 3 (update, by", sentence)
        with self.refused(errno.ESTALE):
            self.commit(job)
        self.assertIn(sentence.strip(), self.sentence(job / ".commit"))
        self.assertEqual(self.shell(f"echo again > '{job}/.commit'", check=False).returncode, 1)
        self.assertEqual(self.version(), 3)
        self.assertEqual(self.loaded(self.mnt / "trips/fare.npy"), [0, 50, 2, 3])
        self.assertEqual(self.loaded(job / "fare.npy"), [0, 100, 2, 3, 8])  # nothing is lost
        job.rmdir()
        self.assertEqual(self.names("trips/.tx"), [])

    def test_rmdir_gives_it_up(self):
        job = self.begin()
        self.write(job / ".append/a.csv", "fare,tip\n8,8\n")
        numpy.save(job / "new.npy", numpy.arange(5))
        job.rmdir()
        with self.assertRaises(FileNotFoundError):
            self.commit(job)
        self.assertEqual(self.version(), 2)
        self.assertEqual(self.names("trips"), ["fare.npy", "tip.npy"])
        again = self.begin()
        self.assertEqual(self.loaded(again / "fare.npy"), [0, 1, 2, 3])
        shutil.rmtree(again)
        self.assertEqual(self.names("trips/.tx"), [])
        self.assertEqual(self.names("trips"), ["fare.npy", "tip.npy"])

    def test_it_spans_datasets(self):
        job = self.begin("move", dataset=None)
        self.assertEqual(sorted(os.listdir(job)), ["cities", "trips"])
        self.cells(job / "trips/fare.npy", {0: 77})
        self.write(job / "cities/.append/b.csv", "name,people\nBern,1\n")
        self.assertEqual((job / "cities/name.txt").read_text().split(), ["Oslo", "Roma", "Bern"])
        self.assertEqual(self.loaded(self.mnt / "trips/fare.npy"), [0, 1, 2, 3])
        self.assertEqual((job / ".check").read_text(), "ok\n")
        self.commit(job, "both")
        self.assertFalse(job.exists())
        for dataset in ("trips", "cities"):
            record = json.loads((self.mnt / dataset / ".commit.json").read_text())
            self.assertEqual((record["operation"], record["message"]), ("transaction", "both"))
        self.assertEqual(self.loaded(self.mnt / "trips/fare.npy"), [77, 1, 2, 3])
        self.assertEqual((self.mnt / "cities/name.txt").read_text().split(), ["Oslo", "Roma", "Bern"])

    def test_datasets_are_made_moved_and_removed_with_the_rest(self):
        job = self.begin("tree", dataset=None)
        (job / "team").mkdir()
        (job / "team/fresh").mkdir()
        numpy.save(job / "team/fresh/v.npy", numpy.arange(3))
        os.rename(job / "trips", job / "team/rides")
        self.cells(job / "team/rides/fare.npy", {0: 70})
        shutil.rmtree(job / "cities")
        self.assertEqual(sorted(os.listdir(job)), ["team"])
        self.assertEqual(sorted(os.listdir(job / "team")), ["fresh", "rides"])
        self.assertEqual(self.names(), ["cities", "trips"])
        self.assertEqual((self.mnt / "trips/fare.npy").stat().st_size, 128 + 32)
        self.commit(job)
        self.assertEqual(self.names(), ["team"])
        self.assertFalse((self.mnt / "trips").exists())
        self.assertEqual(self.loaded(self.mnt / "team/fresh/v.npy"), [0, 1, 2])
        self.assertEqual(self.loaded(self.mnt / "team/rides/fare.npy"), [70, 1, 2, 3])
        job = self.begin("lost", dataset=None)
        (job / "new").mkdir()
        (self.mnt / "new").mkdir()
        self.assertRegex((job / ".check").read_text(), r"the name 'new' was given, moved or removed by another commit "
                                                       r"\(by \w+ \(\d+\), \d{4}-\S+Z\) since the transaction began")
        with self.refused(errno.ESTALE):
            self.commit(job)

    def test_what_spans_datasets_is_refused_whole(self):
        job = self.begin("move", dataset=None)
        self.write(job / "cities/.append/b.csv", "name,people\nBern,1\n")
        self.cells(job / "trips/fare.npy", {0: 77})
        self.cells(self.mnt / "trips/fare.npy", {0: 7})
        with self.refused(errno.ESTALE):
            self.commit(job)
        self.assertEqual((self.mnt / "cities/name.txt").read_text().split(), ["Oslo", "Roma"])
        self.assertEqual(sorted(os.listdir(job)), ["cities", "trips"])
        job.rmdir()
        self.assertEqual(os.listdir(self.mnt / ".stela/tx"), [])

    # ---- the daemon

    def test_killed_before_the_commit_nothing_is_left_and_after_it_everything(self):
        job = self.begin("half", dataset=None)
        self.write(job / "cities/.append/b.csv", "name,people\nBern,1\n")
        numpy.save(job / "trips/new.npy", numpy.arange(4))
        done = self.begin("whole")
        self.cells(done / "fare.npy", {0: -5})
        self.write(done / ".append/c.csv", "fare,tip\n6,6\n")
        self.commit(done)
        self.end_daemon(signal.SIGKILL)
        self.mount()
        self.assertEqual(self.names("trips/.tx") + os.listdir(self.mnt / ".stela/tx"), [])
        self.assertEqual(self.loaded(self.mnt / "trips/fare.npy"), [-5, 1, 2, 3, 6])
        self.assertEqual(self.names("trips"), ["fare.npy", "tip.npy"])
        self.assertEqual((self.mnt / "cities/name.txt").read_text().split(), ["Oslo", "Roma"])
        self.stela("check", self.store)

    def test_it_ends_with_the_daemon_and_that_is_said(self):
        job = self.begin()
        self.write(job / ".append/a.csv", "fare,tip\n8,8\n")
        self.begin("empty")
        self.umount()
        text = (self.store / "daemon.log").read_text()
        self.assertIn('"/trips/.tx/job": the transaction ended with the mount: its 1 change is not committed', text)
        self.assertNotIn("/trips/.tx/empty", text)
        self.mount()
        self.assertEqual(self.names("trips/.tx"), [])
        self.assertEqual(self.version(), 2)

    # ---- bad input

    def test_bad_input(self):
        job = self.begin()
        with self.refused(errno.EEXIST):
            job.mkdir()
        for name in (".tx", ".tx/inner"):
            with self.refused(errno.EINVAL):
                (job / name).mkdir()
        self.assertIn("within another", self.errors()[-1]["message"])
        with self.refused(errno.EPERM):
            os.rename(job, self.mnt / "trips/.tx/renamed")
        self.assertIn("keeps the name", self.errors()[-1]["message"])
        with self.refused(errno.EROFS):
            (self.mnt / "trips/.versions/1/.tx/job").mkdir()
        with self.refused(errno.EINVAL):
            (self.mnt / "trips/.tx/.hidden").mkdir()
        with self.refused(errno.EINVAL):
            self.write(self.mnt / "trips/.tx/file", "x")
        with self.refused(errno.EINVAL):  # would commit nothing
            self.write(self.mnt / "trips/.commit", "message\n")
        with self.refused(errno.EXDEV):
            os.rename(job / "fare.npy", self.mnt / "trips/other.npy")
        with self.refused(errno.EXDEV):
            os.rename(self.mnt / "trips/fare.npy", job / "other.npy")
        with self.refused(errno.ENOTSUP):
            os.symlink("../.versions/1", job / ".tags/v1")
        with self.refused(errno.EPERM):
            os.unlink(job / ".commit")
        with self.refused(errno.EPERM):
            (job / ".commit").read_bytes()
        with self.refused(errno.EPERM):
            self.write(job / ".check", "x", 0)
        with self.refused(errno.EFBIG):
            self.write(job / ".commit", b"x" * 70_000, 0)
        with self.refused(errno.EINVAL):
            numpy.save(job / "short.npy", numpy.arange(3))
        (job / ".commit").touch()  # says nothing, so it does nothing
        self.assertTrue(job.exists())
        self.assertEqual(self.names("trips"), ["fare.npy", "tip.npy"])
        spanning = self.begin("span", dataset=None)
        with self.refused(errno.ENOTSUP):
            os.chmod(spanning / "trips", 0o700)
        self.assertIn("outside of it", self.errors()[-1]["message"])
        with self.refused(errno.EINVAL):
            (job / "fresh").mkdir()
        self.assertIn(".stela/tx/NAME", self.errors()[-1]["message"])
        with self.refused(errno.EINVAL):
            self.write(spanning / "trips/.commit", "message\n")
        with self.refused(errno.EINVAL):
            (spanning / "trips/.tx/job").mkdir()
        self.assertFalse((spanning / ".stela").exists())

    def test_a_commit_happens_once(self):
        job = self.begin()
        self.cells(job / "fare.npy", {0: 1})
        late = os.open(job / "tip.npy", os.O_RDWR)
        first, second = (os.open(job / ".commit", os.O_WRONLY) for _ in range(2))
        os.write(first, b"one\n")
        for fd, code in ((first, errno.EINVAL), (second, errno.ESTALE)):
            with self.refused(code):
                os.write(fd, b"two\n")
            os.close(fd)
        self.assertIn("was committed at", self.errors()[-1]["message"])
        os.pwrite(late, b"\1" * 8, 128)  # a draft that outlives it
        with self.refused(errno.ESTALE):
            os.close(late)
        self.assertEqual(self.version(), 3)
        with self.assertRaises(FileNotFoundError):
            self.commit(job)

    def test_a_message_without_a_newline_commits_at_close(self):
        job = self.begin()
        self.cells(job / "fare.npy", {0: 1})
        self.write(job / ".commit", "no newline", 0)
        self.assertEqual(json.loads((self.mnt / "trips/.commit.json").read_text())["message"], "no newline")

    def test_nothing_to_commit(self):
        self.commit(self.begin())
        self.assertEqual((self.version(), self.names("trips/.tx")), (2, []))

    def test_its_dataset_is_dropped_or_renamed_meanwhile(self):
        job = self.begin("gone", dataset=None)
        self.cells(job / "trips/fare.npy", {0: 1})
        self.write(job / "cities/.append/b.csv", "name,people\nBern,1\n")
        shutil.rmtree(self.mnt / "trips")
        with self.refused(errno.ENOENT, errno.ESTALE):
            self.commit(job)
        self.assertEqual((self.mnt / "cities/name.txt").read_text().split(), ["Oslo", "Roma"])
        job = self.begin(dataset="cities")
        self.write(job / ".append/b.csv", "name,people\nBern,1\n")
        os.rename(self.mnt / "cities", self.mnt / "towns")
        self.commit(self.mnt / "towns/.tx/job")
        self.assertEqual((self.mnt / "towns/name.txt").read_text().split(), ["Oslo", "Roma", "Bern"])


class IdleTransactions(MountCase):
    MOUNTED = False

    def test_one_that_nobody_uses_is_given_up(self):
        self.mount("transaction_idle=1s")
        self.make_dataset()
        job = self.mnt / "trips/.tx/job"
        job.mkdir()
        numpy.save(job / "tip.npy", numpy.zeros(5))
        wait_until(lambda: self.names("trips/.tx") == [], "the idle transaction is gone")
        self.assertFalse(job.exists())
        self.assertEqual(self.names("trips"), ["fare.npy"])
        line = self.errors()[-1]
        self.assertEqual((line["path"], line["errno"]), ("/trips/.tx/job", "ESTALE"))
        self.assertIn("nobody used the transaction for 1 s (transaction_idle)", line["message"])

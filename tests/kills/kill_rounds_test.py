"""The daemon is killed with SIGKILL again and again under writers and readers. What a close() acknowledged is there
afterwards, once; what was not answered is there once or not at all; a version that was read stays as it was."""
import errno
import os
import pathlib
import random
import sys
import threading
import time
import unittest

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "mount"))
from mounted_store import MountCase, npy  # noqa: E402

ROUNDS = max(1, 100 * int(os.environ.get("STELA_TEST_SCALE", "100")) // 100)
WRITERS = 3
DEAD = (errno.ENOTCONN, errno.ECONNABORTED, errno.EIO, errno.ESTALE, errno.EINTR, errno.ENODEV)


class Record:
    """What happened, kept outside of the store."""

    def __init__(self):
        self.lock = threading.Lock()
        self.acknowledged, self.unanswered, self.problems = set(), set(), []
        self.reads = self.refused = 0
        self.versions = {}


class KillRounds(MountCase):
    SECONDS_MAX = 240

    def test_nothing_acknowledged_is_lost(self):
        self.make_dataset("t", a=numpy.array([0]))
        self.make_dataset("c", x=numpy.zeros(1000))
        self.make_dataset("u", a=numpy.zeros(0, int))
        record = Record()
        record.acknowledged.add(0)
        chance = random.Random(20131231)
        number = 1
        for round_number in range(ROUNDS):
            pid = self.daemon_pid()
            stop = threading.Event()
            threads = [threading.Thread(target=self.write_rows, args=(record, stop, number + n * 10_000)) for n in range(WRITERS)]
            threads += [threading.Thread(target=self.read_rows, args=(record, stop)),
                        threading.Thread(target=self.replace_column, args=(record, stop, round_number))]
            threads.append(threading.Thread(target=self.write_both, args=(record, stop, -number)))
            number += WRITERS * 10_000
            for thread in threads:
                thread.start()
            # Somewhere in their work: after some acknowledgements, and a moment more.
            wanted, until = len(record.acknowledged) + chance.randrange(8), time.monotonic() + 2
            while len(record.acknowledged) < wanted and time.monotonic() < until:
                time.sleep(0.0005)
            time.sleep(chance.uniform(0, 0.004))
            self.end_daemon(9, pid)
            stop.set()
            for thread in threads:
                thread.join(30)
                self.assertFalse(thread.is_alive(), "a thread hangs after its daemon was killed")
            self.mount()
            self.check(record, round_number)
        print(f"{ROUNDS} rounds, {len(record.acknowledged)} acknowledged, {len(record.unanswered)} unanswered, "
              f"{record.refused} refused, {record.reads} whole reads")
        self.assertGreater(len(record.acknowledged), ROUNDS // 2)
        self.assertGreater(record.reads, 0)
        self.stela("check", self.mnt)

    def write_rows(self, record, stop, first):
        for value in range(first, first + 10_000):
            if stop.is_set():
                return
            with record.lock:
                record.unanswered.add(value)
            try:
                self.append("t", f"w{first}.csv", f"a\n{value}\n")
            except OSError as error:
                if error.errno not in DEAD:
                    record.problems.append(f"append: {error}")
                return
            with record.lock:
                record.unanswered.discard(value)
                record.acknowledged.add(value)

    def write_both(self, record, stop, first):
        """A row in each of two datasets, as one transaction; negative numbers are of these."""
        for value in range(first, first - 10_000, -1):
            if stop.is_set():
                return
            folder = self.mnt / ".stela/tx" / f"x{-value}"
            try:
                folder.mkdir()
                for dataset in ("t", "u"):
                    self.write(folder / dataset / ".append/x.csv", f"a\n{value}\n")
                with record.lock:
                    record.unanswered.add(value)
                self.write(folder / ".commit", f"{value}\n", 0)
            except OSError as error:
                if error.errno not in DEAD:
                    record.problems.append(f"transaction: {error}")
                return
            with record.lock:
                record.unanswered.discard(value)
                record.acknowledged.add(value)

    def read_rows(self, record, stop):
        while not stop.is_set():
            try:
                latest = os.readlink(self.mnt / "t/.versions/latest")
                values = numpy.load(self.mnt / "t/.versions" / latest / "a.npy")
                column = numpy.load(self.mnt / "c/x.npy")
            except OSError as error:
                if error.errno not in DEAD:
                    record.problems.append(f"read: {error}")
                return
            except ValueError:  # numpy's word for a read that the daemon's end cut short
                return
            record.reads += 1
            record.versions[latest] = values.tobytes()
            if (column != column[0]).any():
                record.problems.append("a column is half of one commit and half of another")

    def replace_column(self, record, stop, round_number):
        path = self.mnt / "c/x.npy"
        for turn in range(1000):
            if stop.is_set():
                return
            try:
                self.write(path, npy(numpy.full(1000, round_number * 1000.0 + turn)))
            except OSError as error:
                record.refused += error.errno == errno.ESTALE
                if error.errno not in DEAD:
                    record.problems.append(f"replace: {error}")
                    return
                if error.errno != errno.ESTALE:
                    return

    def check(self, record, round_number):
        self.assertEqual(record.problems, [], f"round {round_number}")
        values = self.load("t/a.npy").tolist()
        there = set(values)
        self.assertEqual(len(values), len(there), "a row is there twice")
        self.assertEqual(record.acknowledged - there, set(), f"acknowledged and lost in round {round_number}")
        self.assertEqual(there - record.acknowledged - record.unanswered, set(), "rows that nobody wrote")
        both = self.load("u/a.npy").tolist()
        self.assertEqual(sorted(both), sorted(value for value in values if value < 0), "half of a transaction")
        # An unanswered row has its fate now.
        record.acknowledged |= there & record.unanswered
        record.unanswered -= there
        for version, wanted in list(record.versions.items())[-3:]:
            self.assertEqual(self.load(f"t/.versions/{version}/a.npy").tobytes(), wanted, f"version {version} changed")


if __name__ == "__main__":
    unittest.main()

"""Isolation through a mount: the histories of tests/transactions/histories.txt, and writers at once whose transactions are
checked for lost updates, reads of what was never committed, and reads of two moments."""
import errno
import os
import random
import threading
import time

import numpy

from mounted_store import SOURCE, MountCase

WRITERS = 8
SECONDS = 2.0  # that they write


class Histories(MountCase):
    def setUp(self):
        super().setUp()
        self.folders = {}

    def place(self, number):
        return self.folders.get(number, self.dataset)

    def play(self, step):
        act, number, rest = step[0], int(step[1]), step[2:]
        value = rest.partition("=")[2]
        row = int(rest[1:rest.index("]")]) if rest.startswith("[") else 0
        place = self.place(number)
        if act == "b":
            self.folders[number] = self.dataset / ".tx" / f"t{number}"
            self.folders[number].mkdir()
        elif act == "c":
            try:
                self.write(place / ".commit", f"{step}\n", 0)
                self.assertEqual(rest, "", "the commit should have been refused")
                self.assertFalse(place.exists())
            except OSError as error:
                self.assertEqual((rest, error.errno), ("!", errno.ESTALE))
                self.assertTrue(place.exists())
        elif act == "x":
            place.rmdir()
        elif act == "a":
            self.write(place / ".append/row.csv", f"x\n{value}\n")
        elif act == "w":
            fd = os.open(place / "x.npy", os.O_RDWR)
            try:
                os.pwrite(fd, int(value).to_bytes(8, "little", signed=True), 128 + 8 * row)
            finally:
                os.close(fd)
        elif act == "r":
            self.assertEqual(numpy.load(place / "x.npy", mmap_mode="r")[row], int(value))
        else:
            self.assertEqual(act, "s")
            self.assertEqual((place / "x.txt").read_text().split(), value.split(","))

    def test_show_no_anomaly_but_write_skew(self):
        lines = (SOURCE / "tests/transactions/histories.txt").read_text().splitlines()
        lines = [line for line in lines if line and not line.startswith("#")]
        self.assertEqual(len(lines), 17)
        for at, line in enumerate(lines):
            self.folders, self.dataset = {}, self.mnt / f"d{at}"
            self.make_dataset(f"d{at}", x=[10, 20])
            for step in line.partition(":")[2].split():
                with self.subTest(history=line, step=step):
                    self.play(step)


class ManyWriters(MountCase):
    def run_writers(self, turn):
        """turn(writer, random, number) again and again, by WRITERS threads for SECONDS; what they raise is raised."""
        end, failures = time.monotonic() + SECONDS, []

        def work(writer):
            chance, number = random.Random(writer), 0
            try:
                while time.monotonic() < end and not failures:
                    turn(writer, chance, number)
                    number += 1
            except BaseException as error:  # pylint: disable=broad-except
                failures.append(error)

        threads = [threading.Thread(target=work, args=(writer,)) for writer in range(WRITERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def commit(self, folder):
        """Whether it was committed; what lost a race is given up."""
        try:
            self.write(folder / ".commit", "turn\n", 0)
            return True
        except OSError as error:
            if error.errno != errno.ESTALE:
                raise
            folder.rmdir()
            return False

    def test_a_bank_keeps_its_money(self):
        self.make_dataset("accounts", money=numpy.full(6, 100))
        self.make_dataset("moves", source=numpy.zeros(0, int), target=numpy.zeros(0, int), amount=numpy.zeros(0, int))
        done = []

        def balance(folder):
            """The accounts, and what the noted moves make of them, of one moment."""
            money = numpy.load(folder / "accounts/money.npy")
            expected = numpy.full(6, 100)
            source, target, amount = (numpy.load(folder / f"moves/{name}.npy") for name in ("source", "target", "amount"))
            numpy.subtract.at(expected, source, amount)
            numpy.add.at(expected, target, amount)
            numpy.testing.assert_array_equal(money, expected)
            return money

        def turn(writer, chance, number):
            folder = self.mnt / ".stela/tx" / f"w{writer}-{number}"
            folder.mkdir()
            money = balance(folder)
            source, target = chance.sample(range(6), 2)
            amount = chance.randrange(1, 10)
            mapped = numpy.load(folder / "accounts/money.npy", mmap_mode="r+")
            mapped[source] = money[source] - amount
            mapped[target] = money[target] + amount
            mapped.flush()
            del mapped
            self.write(folder / "moves/.append/m.csv", f"source,target,amount\n{source},{target},{amount}\n")
            balance(folder)
            if self.commit(folder):
                done.append((source, target, amount))

        self.run_writers(turn)
        balance(self.mnt)
        noted = zip(*(self.load(f"moves/{name}.npy").tolist() for name in ("source", "target", "amount")))
        self.assertEqual(sorted(noted), sorted(done))
        self.assertGreater(len(done), 0)
        print(f"bank: {len(done)} transfers")

    def test_lists_show_one_order_to_all(self):
        keys = ("a", "b", "c")
        for key in keys:
            self.make_dataset(key, v=numpy.zeros(0, int))
        committed, seen, given_up = [], [], set()

        def lists(folder):
            return {key: numpy.load(folder / key / "v.npy").tolist() for key in keys}

        def turn(writer, chance, number):
            folder = self.mnt / ".stela/tx" / f"w{writer}-{number}"
            folder.mkdir()
            before = lists(folder)
            value = writer * 100_000 + number
            mine = chance.sample(keys, chance.choice((1, 2, 3)))
            for key in mine:
                self.write(folder / key / ".append/v.csv", f"v\n{value}\n")
            after = lists(folder)
            for key in keys:  # its own at once, and nothing of others' meanwhile
                self.assertEqual(after[key], before[key] + [value] * (key in mine))
            seen.append(before)
            if chance.random() < 0.2:
                folder.rmdir()
                given_up.add(value)
            elif self.commit(folder):
                committed.append((value, mine))
            else:
                self.fail("appends never conflict")

        self.run_writers(turn)
        final = lists(self.mnt)
        for key in keys:
            wanted = sorted(value for value, mine in committed if key in mine)
            self.assertEqual(sorted(final[key]), wanted)  # nothing lost, nothing twice, nothing given up
        for before in seen:  # one moment each: a beginning of every list, and of all together
            for key in keys:
                self.assertEqual(before[key], final[key][:len(before[key])])
        moments = sorted({tuple(len(before[key]) for key in keys) for before in seen}, key=sum)
        for earlier, later in zip(moments, moments[1:]):
            self.assertTrue(all(x <= y for x, y in zip(earlier, later)), f"{earlier} and {later}")
        for value, mine in committed:  # whole: in all of its lists, or in none
            for before in seen:
                self.assertIn(sum(value in before[key] for key in mine), (0, len(mine)))
        print(f"lists: {len(committed)} transactions, {len(seen)} reads of {len(moments)} moments")

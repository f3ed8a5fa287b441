"""Hostile files of every format: the errno and the sentence are right, nothing changes, memory stays bounded, and the
daemon goes on serving others."""
import concurrent.futures
import contextlib
import errno
import json
import os
import random
import subprocess
import threading
import time
import unittest
import warnings
import zipfile

import numpy

from mounted_store import SOURCE, MountCase, npy, wait_until

DATA = SOURCE / "tests/fsd/data"
MEMORY_MAX = 512 << 20  # import_memory is 256 MiB, block_cache 256 MiB


class BadFiles(MountCase):
    def setUp(self):
        super().setUp()
        (self.mnt / "t").mkdir()
        self.append("t", "first.csv", "a,b\n1,x\n")
        self.pid = self.daemon_pid()

    def tearDown(self):
        """Whatever came before, the daemon lives, others are served, and memory was bounded."""
        self.assertEqual(self.daemon_pid(), self.pid)
        self.append("t", "last.csv", "a,b\n2,y\n")
        self.assertEqual(self.load("t/a.npy").tolist()[0], 1)
        status = (line.split() for line in open(f"/proc/{self.pid}/status", encoding="ascii"))
        peak = next(int(words[1]) << 10 for words in status if words[0] == "VmHWM:")
        self.assertLess(peak, MEMORY_MAX)
        super().tearDown()

    def refuse(self, name, data, code, *words, dataset="t"):
        path = self.mnt / dataset / ".append" / name
        before = self.version("t")
        with self.refused(code):
            self.write(path, data)
        for word in words:
            self.assertIn(word, self.sentence(path))
        self.assertEqual(self.errors()[-1]["errno"], errno.errorcode[code])
        os.unlink(path)
        self.assertEqual(self.version("t"), before)

    # ---- text

    def test_csv(self):
        utf16 = "a,b\n1,x\n".encode("utf-16")
        garbage = random.Random(7).randbytes(100_000)
        for data, code, words in (
                (utf16, errno.EINVAL, ("UTF-16", "iconv")), (garbage, errno.EINVAL, ()),
                (b"\x7fELF\x02\x01\x01" + bytes(50), errno.EINVAL, ("bad.csv:1",)),
                (b"a,b\r1,x\r", errno.EINVAL, ("CR",)), (b"a,b\n1,\"x\n" * 3, errno.EINVAL, ("bad.csv:2",)),
                (b"a,b\n" + b"1," * 50_000 + b"\n", errno.EINVAL, ("bad.csv:2", "50001 fields")),
                (b"a,b\n" + b"9" * 50_000 + b",x\n", errno.EINVAL, ("bad.csv:2", "'a'")),
                (b'a,b\n1,x\n2,"y"z\n', errno.EINVAL, ("bad.csv:3",))):
            with self.subTest(data[:20]):
                self.refuse("bad.csv", data, code, *words)

    def test_mixed_newlines_are_lines(self):
        self.append("t", "x.csv", "a,b\r\n2,y\n3,z\r\n")
        self.assertEqual(self.load("t/a.npy").tolist(), [1, 2, 3])

    def test_one_line_without_end(self):
        for name, code in (("bad.csv", errno.EFBIG), ("bad.tsv", errno.EFBIG), ("bad.jsonl", errno.EFBIG)):
            with self.subTest(name):
                head = b'{"a": "' if name.endswith("jsonl") else b"a\tb\n1\t" if name.endswith("tsv") else b"a,b\n1,"
                self.refuse(name, head + b"x" * (150 << 20), code, name, "limit")

    def test_a_quote_that_is_never_closed(self):
        self.refuse("bad.csv", b'a,b\n1,"' + b"x,y\n" * (25 << 20), errno.EINVAL, "bad.csv:2", "quote")

    def test_100_000_columns(self):
        (self.mnt / "wide").mkdir()
        names = ",".join(f"c{n}" for n in range(100_000))
        self.append("wide", "x.csv", names + "\n" + ",".join(["1"] * 100_000) + "\n")
        self.assertEqual(self.load("wide/c99999.npy").tolist(), [1])
        line = json.dumps({f"c{n}": n for n in range(100_000)})
        self.append("wide", "y.jsonl", line + "\n")
        self.assertEqual(self.load("wide/c99999.npy").tolist(), [1, 99999])

    def test_json(self):
        deep = "[" * 10_000 + "]" * 10_000
        objects = '{"a":' * 10_000 + "1" + "}" * 10_000
        for data, code, words in (
                ('{"a":' + deep + ',"b":"x"}\n', errno.ENOTSUP, ("'a'", "31")), (objects + "\n", errno.ENOTSUP, ("'a'", "object")),
                ('{"a":1,"b":"x","a":2}\n', errno.EINVAL, ("twice",)), ('{"a":2,"b":"y"}\n{"a":"z","b":"y"}\n', errno.EINVAL, ("bad.jsonl:2",)),
                ('{"a":1e999,"b":""}\n', errno.EINVAL, ("'1e999'",)), ('{"a":1,"b":"\\ud800"}\n', errno.EINVAL, ("'b'",)),
                ('{"a":1,"b":"x"}}\n', errno.EINVAL, ("bad.jsonl:1",)), ("[" * 1_000_000 + "\n", errno.EINVAL, ("bad.jsonl:1",))):
            with self.subTest(data[:30]):
                self.refuse("bad.jsonl", data, code, *words)
        (self.mnt / "sparse").mkdir()
        keys = "".join(f'{{"k{n}":1}}\n' for n in range(20_000))
        self.refuse("bad.jsonl", keys, errno.EFBIG, "different keys", dataset="sparse")

    # ---- binary

    def test_every_changed_byte_of_arrow_and_npz(self):
        """Refused, or taken as other values: never a crash, never half of it."""
        chance = random.Random(11)
        files = {name: (DATA / name).read_bytes() for name in ("rows.arrow", "rows_stream.arrow", "rows_lz4.arrow", "rows_zstd.arrow")}
        numpy.savez_compressed(self.folder / "x.npz", i=numpy.arange(50), s=numpy.array(["x"] * 50))
        files["x.npz"] = (self.folder / "x.npz").read_bytes()
        for name, data in files.items():
            (self.mnt / name.replace(".", "_")).mkdir()
            box = self.mnt / name.replace(".", "_") / ".append"
            refused = 0
            for number in range(60):
                changed = bytearray(data)
                changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
                try:
                    self.write(box / f"{number}{name[name.rindex('.'):]}", bytes(changed))
                except OSError as error:
                    self.assertIn(error.errno, (errno.EINVAL, errno.ENOTSUP, errno.EFBIG))
                    self.assertTrue(self.sentence(box / f"{number}{name[name.rindex('.'):]}"))
                    refused += 1
            self.assertGreater(refused, 5, name)

    def test_arrow_that_lies(self):
        whole = (DATA / "rows.arrow").read_bytes()
        offsets = numpy.array([0, 0, 1, 1], "i4").tobytes()
        self.assertEqual(whole.count(offsets), 1)
        (self.mnt / "r").mkdir()
        for lie in ([0, 0, 1, 2**31 - 1], [0, 0, -1, 1], [5, 4, 3, 2], [0, 0, 1, 4096]):
            with self.subTest(lie):
                data = whole.replace(offsets, numpy.array(lie, "i4").tobytes())
                self.refuse("bad.arrow", data, errno.EINVAL, "'s'", "offsets", dataset="r")
        for cut in (1, 7, 100, len(whole) // 2, len(whole) - 1):
            with self.subTest(cut=cut):
                self.refuse("bad.arrow", whole[:cut], errno.EINVAL, dataset="r")

    def test_npz_that_lies(self):
        good = npy(numpy.arange(3))
        for name, members in (("doubled", [("a.npy", good), ("a.npy", good)]), ("no array", [("a.npy", b"x" * 100)]),
                              ("lying shape", [("a.npy", good.replace(b"(3,)", b"(9,)"))])):
            with self.subTest(name):
                path = self.folder / "bad.npz"
                with warnings.catch_warnings(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                    warnings.simplefilter("ignore")  # of doubled names
                    for member, data in members:
                        archive.writestr(member, data)
                self.refuse("bad.npz", path.read_bytes(), errno.EINVAL)

    # ---- many, growing, full

    def test_a_file_that_grows_while_it_is_copied(self):
        source = self.folder / "grows.csv"
        source.write_text("a,b\n")
        stop = threading.Event()

        def grow():
            with open(source, "a", encoding="ascii", buffering=1) as file:
                number = 0
                while not stop.is_set() and number < 2_000_000:
                    file.write("7,x\n")
                    number += 1

        grower = threading.Thread(target=grow)
        grower.start()
        try:
            for number in range(5):
                # What the copy ends in the middle of is refused or taken as it is; never anything else.
                done = self.shell(f"cp grows.csv mnt/t/.append/{number}.csv", check=False)
                self.assertIn(done.returncode, (0, 1))
        finally:
            stop.set()
            grower.join(20)
        values = self.load("t/a.npy")
        self.assertEqual(set(values[1:].tolist()) - {7}, set())

    def test_1_000_writers_at_once(self):
        (self.mnt / "many").mkdir()
        self.append("many", "first.csv", "a\n0\n")
        handles = [os.open(self.mnt / f"many/.append/{n}.csv", os.O_WRONLY | os.O_CREAT) for n in range(1, 1001)]

        def finish(number):
            os.write(handles[number - 1], f"a\n{number}\n".encode())
            os.close(handles[number - 1])

        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            list(pool.map(finish, range(1, 1001)))
        self.assertEqual(sorted(self.load("many/a.npy").tolist()), list(range(1001)))
        self.assertEqual(self.version("many"), 1001)

    def test_no_room_in_the_spool(self):
        self.umount()
        self.mount("drafts_bytes=4MiB")
        self.pid = self.daemon_pid()
        path = self.mnt / "t/.append/big.csv"
        with self.refused(errno.ENOSPC, errno.EFBIG):
            self.write(path, "a,b\n" + "1,x\n" * (2 << 20))
        self.assertEqual(self.version("t"), 1)

    def test_others_are_served_meanwhile(self):
        stop, reads = threading.Event(), []

        def read():
            while not stop.is_set():
                began = time.monotonic()
                self.load("t/a.npy")
                reads.append(time.monotonic() - began)

        reader = threading.Thread(target=read)
        reader.start()
        try:
            for _ in range(3):
                with contextlib.suppress(OSError):
                    self.write(self.mnt / "t/.append/bad.csv", b'a,b\n1,"' + b"x" * (80 << 20))
        finally:
            stop.set()
            reader.join(20)
        self.assertGreater(len(reads), 10)
        self.assertLess(max(reads), 10)

    def test_a_killed_copy_of_garbage_leaves_nothing(self):
        writer = subprocess.Popen(["sh", "-c", "exec cat /dev/zero > mnt/t/.append/zero.csv"], cwd=self.folder)
        path = self.mnt / "t/.append/zero.csv"
        try:
            wait_until(lambda: path.exists() and path.stat().st_size > 1 << 20, "a MiB was written")
        finally:
            writer.kill()
            writer.wait(20)
        self.assertEqual(self.version("t"), 1)


if __name__ == "__main__":
    unittest.main()

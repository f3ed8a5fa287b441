"""on-error=skip through a real mount; a header that waits for its rows; a write that failed."""
import errno
import json
import os
import unittest

from mounted_store import MountCase


class RejectedRows(MountCase):
    def setUp(self):
        super().setUp()
        (self.mnt / "t").mkdir()
        self.append("t", "first.csv", "a,b\n1,x\n")
        self.skip = self.mnt / "t/.append/on-error=skip"
        self.rejected = self.mnt / "t/.append/rejected.ndjson"

    def lines(self):
        return [json.loads(line) for line in self.rejected.read_text().splitlines()]

    def test_rows_with_their_reasons(self):
        self.assertFalse(self.rejected.exists())
        self.write(self.skip / "x.csv", "a,b\n2,y\nz,w\n3\n4,v\n")
        self.assertEqual(self.load("t/a.npy").tolist(), [1, 2, 4])
        self.assertEqual([(one["file"], one["line"], one["text"]) for one in self.lines()], [("x.csv", 3, "z,w"), ("x.csv", 4, "3")])
        self.assertIn("'z' does not fit int64", self.lines()[0]["reason"])
        self.assertIn("2 rejected rows", json.loads((self.mnt / "t/.commit.json").read_text())["message"])
        self.write(self.skip / "x.jsonl", '{"a":5,"b":""}\n{"a":"6","b":""}\n')
        self.assertEqual(self.lines()[2]["text"], '{"a":"6","b":""}')
        self.assertEqual(os.stat(self.rejected).st_size, len(self.rejected.read_bytes()))
        self.assertEqual(os.listdir(self.mnt / "t/.append"), [])
        self.assertEqual(self.version("t"), 3)

    def test_it_can_be_read_and_removed_only(self):
        with self.refused(errno.EINVAL):
            self.write(self.rejected, "x")
        self.write(self.skip / "x.csv", "a,b\n2,y\nz,w\n")
        with self.refused(errno.EPERM):
            self.write(self.rejected, "x")
        os.unlink(self.rejected)
        self.assertFalse(self.rejected.exists())
        self.write(self.skip / "y.csv", "a,b\n3,y\nq,w\n")
        self.assertEqual([one["text"] for one in self.lines()], ["q,w"])

    def test_files_that_cannot_be_skipped_through(self):
        for name, data, code, word in (("x.csv", "a,b\n2,y\n3,\"z\n", errno.EINVAL, "quote"), ("x.csv", "a,b\nz,w\n", errno.EINVAL, "every other row"),
                                       ("x.npz", "PK", errno.ENOTSUP, "text files")):
            with self.subTest(data):
                with self.refused(code):
                    self.write(self.skip / name, data)
                self.assertIn(word, self.sentence(self.skip / name))
                os.unlink(self.skip / name)
        self.assertFalse(self.rejected.exists())
        self.assertEqual(self.version("t"), 1)

    def test_other_options_beside_it(self):
        self.write(self.mnt / "t/.append/on-error=skip,null=-,delimiter=%3B,missing=null,extra=ignore/x.csv", "a;c\n2;q\n-;r\nx;s\n")
        self.assertEqual((self.mnt / "t/a.txt").read_text(), "1\n2\n\\N\n")
        self.assertEqual([one["text"] for one in self.lines()], ["x;s"])

    def test_header_no_goes_by_position(self):
        self.write(self.mnt / "t/.append/header=no/x.csv", "2,y\n3,z\n")
        self.assertEqual(self.load("t/a.npy").tolist(), [1, 2, 3])
        (self.mnt / "u").mkdir()
        self.write(self.mnt / "u/.append/header=no/x.csv", "2,y\n")
        self.assertEqual(self.names("u"), ["c1.npy", "c2.arrow"])

    def test_a_header_waits_for_its_rows(self):
        self.shell("echo b,a > mnt/t/.append/h.csv; test -e mnt/t/.append/h.csv; echo y,2 >> mnt/t/.append/h.csv")
        self.umount()
        self.mount()
        self.shell("echo z,3 >> mnt/t/.append/h.csv")
        self.assertEqual(self.load("t/a.npy").tolist(), [1, 2, 3])
        self.assertEqual(os.stat(self.mnt / "t/.append/h.csv").st_size, 12)

    def test_a_write_that_failed_commits_nothing(self):
        self.umount()
        self.mount("drafts_bytes=1MiB")
        fd = os.open(self.mnt / "t/.append/x.csv", os.O_WRONLY | os.O_CREAT)
        os.write(fd, b"a,b\n2,y\n")
        with self.refused(errno.EFBIG, errno.ENOSPC):
            for _ in range(64):
                os.write(fd, b"3,z\n" * (1 << 14))
        with self.refused(errno.EFBIG, errno.ENOSPC):
            os.close(fd)
        self.assertEqual(self.version("t"), 1)


if __name__ == "__main__":
    unittest.main()

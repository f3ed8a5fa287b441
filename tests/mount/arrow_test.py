"""Arrow files through a real mount: rows of several columns and single columns, plain and compressed, files and streams."""
import errno
import json
import os
import shutil
import unittest

from mounted_store import SOURCE, MountCase

DATA = SOURCE / "tests/fsd/data"
I = ["0", "1", "2", "\\N", "4", "5", "6"]
S = ["", "x", "\\N", "xxx", "", "x", "xx"]
D = ["yes", "no", "yes", "no", "yes", "no", "yes"]


class ArrowFiles(MountCase):
    def setUp(self):
        super().setUp()
        (self.mnt / "t").mkdir()

    def text(self, column):
        return (self.mnt / "t" / f"{column}.txt").read_text().split("\n")[:-1]

    def test_rows_as_files_and_streams_compressed_or_not(self):
        names = ("rows", "rows_stream", "rows_lz4", "rows_zstd")
        for name in names:
            shutil.copyfile(DATA / f"{name}.arrow", self.mnt / f"t/.append/{name}.arrow")
        shutil.copyfile(DATA / "rows_lz4.arrow", self.mnt / "t/.append/x.feather")
        times = len(names) + 1
        self.assertEqual(self.text("i"), I * times)
        self.assertEqual(self.text("s"), S * times)
        self.assertEqual(self.text("d"), D * times)
        self.assertEqual(self.load("t/v.npy")[3].tolist(), [3, -3])
        self.assertEqual(self.load("t/v.valid.npy").tolist(), [True, False, True, True, False, True, True] * times)
        self.assertEqual(self.version("t"), times)
        types = [one["type"] for one in json.loads((self.mnt / "t/.schema.json").read_text())["columns"]]
        self.assertEqual(types, ["int32", "utf8", "utf8", "float32[2]", "bool"])

    def test_many_batches(self):
        shutil.copyfile(DATA / "rows_many_batches.arrow", self.mnt / "t/.append/x.arrow")
        self.assertEqual(self.text("i"), ["\\N" if n % 7 == 3 else str(n) for n in range(40)])
        self.assertEqual(self.version("t"), 1)

    def test_columns_compressed_and_with_growing_dictionaries(self):
        for name, values in (("lz4", [*map(str, range(1000)), "\\N"]), ("zstd", [*map(str, range(1000)), "\\N"]),
                             ("lz4_dictionary_stream", ["a", "\\N", "b", "a"] * 2),
                             ("zstd_dictionary_stream", ["a", "\\N", "b", "a"] * 2),
                             ("dictionary_delta_stream", ["\\N", "10", "30", "\\N", "10"]), ("two_batches", ["a", "\\N", "bc", "\\N", "d"])):
            with self.subTest(name):
                (self.mnt / name).mkdir()
                shutil.copyfile(DATA / f"{name}.arrow", self.mnt / name / "x.arrow")
                self.assertEqual((self.mnt / name / "x.txt").read_text().split("\n")[:-1], values)

    def test_rows_fit_the_types_of_the_dataset(self):
        self.append("t", "first.csv", "i,s\n-1,first\n")
        path = self.mnt / "t/.append/rows.arrow"
        with self.refused(errno.EINVAL):
            shutil.copyfile(DATA / "rows.arrow", path)
        self.assertIn("the dataset has no 'd', 'v', 'b'; extra=ignore", self.sentence(path))
        shutil.copyfile(DATA / "rows.arrow", self.mnt / "t/.append/extra=ignore/rows.arrow")
        self.assertEqual(self.text("i"), ["-1", *I])
        self.assertEqual(self.text("s"), ["first", *S])

    def test_a_stream_commits_what_is_whole_at_each_fsync(self):
        data = (DATA / "rows_stream.arrow").read_bytes()
        file = os.open(self.mnt / "t/.append/x.arrow", os.O_WRONLY | os.O_CREAT, 0o644)
        seen = []
        try:
            for at in range(0, len(data), 64):
                os.write(file, data[at:at + 64])
                os.fsync(file)
                seen.append(len(self.text("i")) if "i.npy" in self.names("t") else 0)
        finally:
            os.close(file)
        self.assertEqual(seen, sorted(seen))
        self.assertIn(3, seen, "the first batch was committed before the second had come")
        self.assertEqual(self.text("i"), I)
        self.assertEqual(self.version("t"), 2)

    def test_refusals(self):
        whole = (DATA / "rows_zstd.arrow").read_bytes()
        for what, data, code, word in (
                ("cut", whole[:-20], errno.EINVAL, "incomplete"), ("no arrow", b"PAR1" + whole, errno.EINVAL, "neither"),
                ("struct", (DATA / "refused_struct.arrow").read_bytes(), errno.ENOTSUP, "Struct"),
                ("list", (DATA / "refused_list.arrow").read_bytes(), errno.ENOTSUP, "List")):
            with self.subTest(what):
                path = self.mnt / "t/.append/bad.arrow"
                with self.refused(code):
                    self.write(path, data)
                self.assertIn(word, self.sentence(path))
                os.unlink(path)
        self.assertEqual(self.names("t"), [])


if __name__ == "__main__":
    unittest.main()

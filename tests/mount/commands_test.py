"""The program's verbs, with and without a daemon."""
import csv
import json
import os
import subprocess
import unittest
import xml.etree.ElementTree

import numpy

from mounted_store import SOURCE, STELA, MountCase, npy


class Commands(MountCase):
    MOUNTED = False

    def setUp(self):
        super().setUp()
        (self.folder / "day.csv").write_text("fare,city\n1.5,Berlin\nNA,Paris\n")
        self.stela("import", self.store, "/team/trips", self.folder / "day.csv", "--null", "NA")

    def both_ways(self):
        """Once on the store, once through the daemon."""
        yield "store"
        self.mount()
        yield "daemon"
        self.umount()

    def test_reading_verbs(self):
        for way in self.both_ways():
            with self.subTest(way):
                self.assertEqual(self.stela("ls", self.store).stdout, "team\n")
                self.assertEqual(self.stela("ls", self.store, "/team/trips").stdout,
                                 "fare.npy\nfare.valid.npy\ncity.arrow\n")
                listed = json.loads(self.stela("ls", "--json", self.store, "/team/trips").stdout)
                self.assertEqual([entry["size"] for entry in listed][:2], [144, 130])
                self.assertIn("fare.npy", self.stela("ls", "-l", self.store, "team/trips").stdout)
                self.assertEqual(self.stela("cat", self.store, "/team/trips/.table.csv").stdout,
                                 "fare,city\n1.5,Berlin\n,Paris\n")
                self.assertEqual(self.stela("cat", self.store, "/team/trips/.versions/1/city.txt").stdout, "Berlin\nParis\n")
                self.assertIn("float64", self.stela("schema", self.store, "/team/trips").stdout)
                schema = json.loads(self.stela("schema", self.store, "/team/trips/.versions/1", "--json").stdout)
                self.assertEqual((schema["rows"], len(schema["columns"])), (2, 2))
                self.assertIn("user.stela.rows", self.stela("stat", self.store, "/team/trips/fare.npy").stdout)
                self.assertEqual(json.loads(self.stela("stat", self.store, "/team/trips/fare.npy", "--json").stdout)["size"], 144)
                log = json.loads(self.stela("log", self.store, "/team/trips", "--json").stdout)
                self.assertEqual((log["version"], log["rows_added"], log["operation"]), (1, 2, "import"))
                self.assertIn("no damage", self.stela("check", self.store).stdout)
                self.assertEqual(json.loads(self.stela("check", self.store, "--json").stdout)["damages"], [])
                self.assertEqual(json.loads(self.stela("inspect", self.store, "/team/trips", "--json").stdout)["rows"], 2)
                self.assertIn("fare", self.stela("inspect", self.store, "/team/trips/fare.npy").stdout)
                status = json.loads(self.stela("status", self.store, "--json").stdout)
                self.assertEqual(status["daemon"] is None, way == "store")

    def test_changing_verbs(self):
        for way in self.both_ways():
            with self.subTest(way):
                self.stela("import", self.store, "/t/" + way, self.folder / "day.csv", "--null=NA", "-m", "hello")
                numpy.save(self.folder / "tip.npy", numpy.array([7, 8]))
                self.stela("import", self.store, f"/t/{way}/tip.npy", self.folder / "tip.npy")
                log = self.stela("log", self.store, "/t/" + way).stdout
                self.assertIn("hello", log)
                self.assertEqual(len(log.splitlines()), 2)
                self.stela("tag", self.store, "/t/" + way, "v1", "1")
                self.stela("tag", self.store, "/t/" + way, "now")
                tags = json.loads(self.stela("tag", self.store, "/t/" + way, "--json").stdout)
                self.assertEqual(tags, [{"name": "now", "version": 2}, {"name": "v1", "version": 1}])
                self.stela("tag", self.store, "/t/" + way, "now", "--delete")
                self.assertEqual(self.stela("tag", self.store, "/t/" + way).stdout, "v1  1\n")
                self.assertNotEqual(self.stela("tag", self.store, "/t/" + way, "v1", check=False).returncode, 0)
                self.stela("tag", self.store, "/t/" + way, "v1", "2", "--force")
                self.assertEqual(self.stela("cat", self.store, f"/t/{way}/.tags/v1/tip.txt").stdout, "7\n8\n")
                self.stela("export", self.store, "/t/" + way, self.folder / "out.csv")
                self.assertEqual((self.folder / "out.csv").read_text(), "fare,city,tip\n1.5,Berlin,7\n,Paris,8\n")
                self.stela("export", self.store, f"/t/{way}/.versions/1", self.folder / f"out-{way}")
                self.assertEqual(sorted(os.listdir(self.folder / f"out-{way}")), [".schema.json", "city.arrow", "fare.npy", "fare.valid.npy"])
                self.stela("export", self.store, f"/t/{way}/tip.npy", self.folder / "tip2.npy")
                self.assertEqual((self.folder / "tip2.npy").read_bytes(), npy(numpy.array([7, 8])))

    def test_a_path_on_the_mount_stands_for_store_and_path(self):
        self.mount()
        self.assertEqual(self.stela("ls", self.mnt).stdout, "team\n")
        self.assertEqual(self.stela("ls", self.mnt / "team").stdout, "trips\n")
        self.stela("import", self.mnt / "team/trips", self.folder / "day.csv", "--null", "NA")
        self.assertEqual(len(self.stela("log", self.mnt / "team/trips").stdout.splitlines()), 2)
        log = [json.loads(line) for line in self.stela("log", self.mnt / "team/trips", "--json").stdout.splitlines()]
        self.assertEqual(log[1]["bytes_shared"], 0)
        self.assertGreater(log[0]["bytes_shared"], 0)  # the rows of the first one
        self.assertEqual(self.load("team/trips/fare.npy").shape, (4,))

    def test_failures_and_usage(self):
        for words, code, text in ((("frob",), 2, "unknown verb"), ((), 2, "verb is missing"), (("ls",), 2, "takes STORE"),
                                  (("ls", "--frob", self.store), 2, "frob"), (("import", self.store, "/x"), 2, "FILE"),
                                  (("export", self.store, "/x"), 2, "OUT"),
                                  (("ls", self.folder / "none"), 1, "no store"),
                                  (("ls", self.store, "/none"), 1, "/none"),
                                  (("cat", self.store, "/team"), 1, "folder"),
                                  (("log", self.store, "/none"), 1, "/none"),
                                  (("log", self.store, "/team"), 1, "folder"),
                                  (("import", self.store, "/x", self.folder / "none.csv"), 1, "none.csv"),
                                  (("import", self.store, "/x", STELA), 1, "extension"),
                                  (("export", self.store, "/team/trips", self.folder / "x.parquet"), 1, "parquet"),
                                  (("restore", self.store, "/none"), 1, "/none"),
                                  (("restore", self.store, "/team/trips", "--to", "1"), 1, "later"),
                                  (("tag", self.store, "/team/trips", "v", "9"), 1, "9")):
            with self.subTest(words):
                done = self.stela(*words, check=False)
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertTrue(done.stderr.startswith("stela: "), done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1)
                self.assertIn(text, done.stderr)
        self.assertFalse((self.folder / "x.parquet").exists())
        self.assertEqual(self.stela("ls", self.store).stdout, "team\n")

    def test_a_refused_import_leaves_nothing(self):
        (self.folder / "bad.csv").write_text("a,b\n1\n")
        for way in self.both_ways():
            with self.subTest(way):
                done = self.stela("import", self.store, "/new/folder/set", self.folder / "bad.csv", check=False)
                self.assertEqual(done.returncode, 1)
                self.assertIn("bad.csv:2", done.stderr)
                self.assertEqual(self.stela("ls", self.store).stdout, "team\n")

    def test_import_leaves_out_rows_that_cannot_be_taken(self):
        (self.folder / "x.csv").write_text("a,b\n1,x\n")
        (self.folder / "y.csv").write_text("a,b\n2,y\nz,w\n3\n4,v\n")
        for number, _ in enumerate(self.both_ways()):
            dataset = f"/skip{number}"
            self.stela("import", self.store, dataset, self.folder / "x.csv")
            refused = self.stela("import", self.store, dataset, self.folder / "y.csv", check=False)
            self.assertEqual(refused.returncode, 1)
            first, *rejected = self.stela("import", "--on-error", "skip", self.store, dataset, self.folder / "y.csv").stdout.splitlines()
            self.assertIn("2 rows added, 2 left out", first)
            self.assertEqual([json.loads(line)["text"] for line in rejected], ["z,w", "3"])
            line = self.stela("import", "--on-error", "skip", "--json", self.store, dataset, self.folder / "y.csv").stdout
            self.assertEqual([(one["line"], one["text"]) for one in json.loads(line)["rejected"]], [(3, "z,w"), (4, "3")])
            self.assertEqual(self.stela("cat", self.store, f"{dataset}/a.txt").stdout.split(), ["1", "2", "4", "2", "4"])

    def test_restore_of_a_dropped_dataset(self):
        self.mount()
        self.shell("rm -r mnt/team")
        self.assertEqual(self.names(), [])
        self.assertIn("is back", self.stela("restore", self.store, "/team/trips").stdout)
        self.assertEqual(self.names("team/trips"), ["city.arrow", "fare.npy", "fare.valid.npy"])
        self.shell("rm -r mnt/team/trips && mkdir mnt/team/trips && rmdir mnt/team/trips")
        self.assertIn("is back", self.stela("restore", self.store, "/team/trips").stdout)
        self.assertEqual(self.names("team/trips"), ["city.arrow", "fare.npy", "fare.valid.npy"])

    def test_help_and_version(self):
        self.assertRegex(self.stela("--version").stdout, r"^stela \d+\.\d+\.\d+\n$")
        for verb in ("mount", "umount", "status", "import", "export", "ls", "cat", "stat", "schema", "log", "tag",
                     "restore", "check", "inspect", "profile", "compact", "bench"):
            self.assertIn(verb, self.stela("--help").stdout)
            self.assertIn(f"usage: stela {verb}", self.stela(verb, "--help").stdout)

    def test_check_names_damage(self):
        numpy.save(self.folder / "big.npy", numpy.arange(1 << 18))
        self.stela("import", self.store, "/big", self.folder / "big.npy")
        files = sorted((self.store / "data").rglob("*.flat"))
        self.assertTrue(files)
        with open(files[0], "r+b") as file:
            file.seek(500_000)
            file.write(b"\xff\xff\xff\xff")
        done = self.stela("check", self.store, check=False)
        self.assertEqual(done.returncode, 1)
        for word in ("/big", "column big", "rows"):
            self.assertIn(word, done.stdout)
        damages = json.loads(self.stela("check", self.store, "--json", check=False).stdout)["damages"]
        self.assertEqual(len(damages), 1)
        self.assertLessEqual(damages[0]["first_row"], (500_000 - 128) // 8)

    def test_export_leaves_out_what_is_damaged(self):
        rows = 1 << 18
        numpy.save(self.folder / "big.npy", numpy.arange(rows))
        self.stela("import", self.store, "/big", self.folder / "big.npy")
        with open(sorted((self.store / "data").rglob("*.flat"))[0], "r+b") as file:
            file.seek(500_000)
            file.write(b"\xff\xff\xff\xff")
        out = self.folder / "out.csv"
        self.assertEqual(self.stela("export", self.store, "/big", out, check=False).returncode, 1)
        self.assertFalse(out.exists())
        for target in (out, self.folder / "out.arrow"):
            done = self.stela("export", self.store, "/big", target, "--skip-damaged", check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"{target}.missing.csv", done.stderr)
        with open(f"{out}.missing.csv", newline="") as file:
            (missing,) = csv.DictReader(file)
        self.assertEqual(missing["column"], "big")
        self.assertIn("checksum", missing["reason"])
        first, last = int(missing["first_row"]), int(missing["last_row"])
        self.assertEqual((first, last), (57344, 65535))  # the 64 KiB that hold the damage
        wanted = [*range(first), *range(last + 1, rows)]
        self.assertEqual(out.read_text().split(), ["big", *map(str, wanted)])
        self.stela("import", self.store, "/again", self.folder / "out.arrow")
        self.assertEqual(json.loads(self.stela("schema", self.store, "/again", "--json").stdout)["rows"], len(wanted))
        self.stela("export", self.store, "/again", self.folder / "whole.csv", "--skip-damaged")
        self.assertFalse((self.folder / "whole.csv.missing.csv").exists())
        refused = self.stela("export", self.store, "/big/big.npy", self.folder / "x.npy", "--skip-damaged", check=False)
        self.assertIn(".csv, .jsonl or .arrow", refused.stderr)

    def test_bench_measures_the_columns_of_a_file(self):
        numpy.savez(self.folder / "some.npz", small=numpy.arange(50_000) % 9, noise=numpy.random.random(50_000),
                    none=numpy.array(["x"] * 50_000))
        before = set(self.folder.iterdir())
        done = self.shell(f"{STELA} bench encodings some.npz", TMPDIR=str(self.folder))
        self.assertEqual(set(self.folder.iterdir()), before)
        lines = {line.split()[0]: line for line in done.stdout.splitlines()}
        self.assertEqual(set(lines), {"column", "small", "noise", "none"})
        self.assertIn("packed", lines["small"])
        self.assertRegex(lines["none"], r"constant +constant +(99.9|100.0) %")
        self.assertEqual(self.stela("bench", "encodings", self.folder / "no.csv", check=False).returncode, 1)
        self.assertEqual(self.stela("bench", "other", self.folder / "day.csv", check=False).returncode, 2)

    def test_profile_measures_what_is_stored(self):
        numpy.savez(self.folder / "some.npz", small=numpy.arange(300_000) % 9, noise=numpy.random.random(300_000),
                    one=numpy.array(["x"] * 300_000))
        self.stela("import", self.store, "/some", self.folder / "some.npz")
        numpy.save(self.folder / "late.npy", numpy.arange(300_000, dtype=numpy.int16) % 2)
        self.stela("import", self.store, "/some/late.npy", self.folder / "late.npy")
        for way in self.both_ways():
            with self.subTest(way):
                whole = json.loads(self.stela("profile", self.store, "/some", "--json").stdout)
                columns = {column["name"]: column for column in whole["columns"]}
                self.assertEqual((whole["version"], whole["rows"], len(columns)), (2, 300_000, 4))
                encodings = {name: column["encodings"][0]["encoding"] for name, column in columns.items()}
                self.assertEqual(encodings["small"], "packed_tight")
                self.assertEqual(encodings["noise"], "plain file")
                self.assertEqual(encodings["one"], "constant")
                for column in columns.values():
                    self.assertEqual(column["rows"], 300_000)
                    self.assertEqual(column["rows"], sum(part["rows"] for part in column["encodings"]))
                    self.assertEqual(column["decoded_bytes"], column["plain_bytes"])
                    self.assertGreater(column["decode_gb_per_second"], 0)
                self.assertEqual(columns["noise"]["plain_bytes"], 2_400_000)
                self.assertEqual(columns["one"]["plain_bytes"], 300_000 * 5)
                self.assertGreater(columns["small"]["ratio"], 10)
                self.assertEqual(whole["stored_bytes"], sum(column["stored_bytes"] for column in columns.values()))
                older = json.loads(self.stela("profile", self.store, "/some/.versions/1", "--json").stdout)
                self.assertEqual(len(older["columns"]), 3)
                lines = self.stela("profile", self.store, "/some/small.npy").stdout.splitlines()
                self.assertRegex(lines[1], r"^small +int64 +packed_tight +10 +300000 +2\.3 MiB .* GB/s$")
                self.assertEqual([line.split()[0] for line in lines], ["column", "small", "all"])
                self.assertEqual(self.stela("profile", self.store, "/none", check=False).returncode, 1)

    def test_profile_and_inspect_know_rows_that_are_deleted_or_not_in_a_file_yet(self):
        self.mount()
        (self.folder / "more.csv").write_text("fare,city\n" + "".join(f"{i}.5,town {i % 7}\n" for i in range(120_000)))
        self.stela("import", self.store, "/team/trips", self.folder / "more.csv")
        self.stela("restore", self.store, "/team/trips", "--to", "1")
        self.stela("import", self.store, "/team/trips", self.folder / "more.csv")
        self.stela("import", self.store, "/team/trips", self.folder / "day.csv", "--null", "NA")
        city = json.loads(self.stela("profile", self.store, "/team/trips/city.arrow", "--json").stdout)["columns"][0]
        parts = {part["encoding"]: part for part in city["encodings"]}
        self.assertEqual(parts["tail"]["pages"], 0)
        self.assertGreaterEqual(parts["tail"]["rows"], 2)
        self.assertEqual(parts["dictionary"]["rows"], 240_000)
        self.assertIn("dictionary", self.stela("inspect", self.store, "/team/trips/city.arrow", "--why").stdout)

    def test_inspect_draws_where_the_bytes_are(self):
        numpy.savez(self.folder / "some.npz", **{"a<b": numpy.arange(300_000) % 9, "noise": numpy.random.random(300_000)})
        self.stela("import", self.store, "/some", self.folder / "some.npz")
        for _ in self.both_ways():
            picture = self.folder / "out.svg"
            self.assertEqual(self.stela("inspect", self.store, "/some", "--svg", picture).stdout, "")
            root = xml.etree.ElementTree.parse(picture).getroot()
            texts = [element.text for element in root.iter() if element.text and element.text.strip()]
            self.assertIn("/some, version 1, 300000 rows", texts)
            for wanted in ("a<b", "noise", "packed_tight", "plain file"):
                self.assertIn(wanted, texts)
            self.assertEqual(sum(text.startswith("packed_tight, rows ") for text in texts), 10)  # a page has 32,768 rows

    def test_a_closed_pipe_is_silent(self):
        done = self.shell(f"{STELA} ls --json store /team/trips | head -c 1", check=False)
        self.assertEqual(done.stderr, "")

    def test_many_commands_at_once_without_a_daemon(self):
        processes = [subprocess.Popen([STELA, "import", self.store, "/p", self.folder / "day.csv", "--null", "NA"],
                                      stdout=subprocess.DEVNULL) for _ in range(6)]
        self.assertEqual([process.wait(50) for process in processes], [0] * 6)
        self.assertEqual(json.loads(self.stela("schema", self.store, "/p", "--json").stdout)["rows"], 12)


class RealData(MountCase):
    def test_flights_by_import_and_by_cp_are_the_same(self):
        flights = SOURCE / "tests/data/flights.csv"
        self.stela("import", self.store, "/imported", flights, "--null", "NA")
        text = flights.read_text().replace(",NA", ",").replace(",NA", ",")
        (self.folder / "empty.csv").write_text(text)
        self.shell("mkdir mnt/copied && cp empty.csv mnt/copied/.append/")
        self.assertEqual(self.names("imported"), self.names("copied"))
        for name in self.names("imported"):
            if name.endswith(".npy"):
                self.assertEqual((self.mnt / "imported" / name).read_bytes(), (self.mnt / "copied" / name).read_bytes(), name)
        rows = len(text.splitlines()) - 1
        self.assertEqual(len(self.load("imported/year.npy")), rows)

    def test_embeddings_are_mapped(self):
        source = SOURCE / "tests/data/embeddings.npy"
        self.shell(f"mkdir mnt/texts && cp {source} mnt/texts/ && cmp {source} mnt/texts/embeddings.npy")
        mapped = numpy.load(self.mnt / "texts/embeddings.npy", mmap_mode="r")
        numpy.testing.assert_array_equal(mapped, numpy.load(source))


if __name__ == "__main__":
    unittest.main()

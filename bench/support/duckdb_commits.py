"""Durable one-row commits of DuckDB, which comes from PyPI: reads a number from each line of its input and prints the
nanoseconds of as many inserts, each a transaction of its own, into the database named by the argument."""
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.peers import run_in_venv  # noqa: E402  found by the line above

run_in_venv("duckdb")
import duckdb  # noqa: E402  the virtual environment has it

connection = duckdb.connect(sys.argv[1])
connection.execute("CREATE TABLE t(id BIGINT, v DOUBLE)")
print("ready", flush=True)
done = 0
for line in sys.stdin:
    for _ in range(int(line)):
        start = time.perf_counter_ns()
        connection.execute("INSERT INTO t VALUES (?, ?)", (done, done / 2))
        print(time.perf_counter_ns() - start)
        done += 1
    sys.stdout.flush()

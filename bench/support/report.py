"""The table a benchmark prints: what was done, Stela's figure, the same on a plain file, their ratio, the goal."""
import statistics
import time


def seconds(value):
    if value < 1e-3:
        return f"{value * 1e6:.1f} us"
    if value < 1:
        return f"{value * 1e3:.2f} ms"
    return f"{value:.2f} s"


def size(count):
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.2f} {unit}"
    return f"{count} B"


def timed(work):
    """Seconds that work() took."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def medians(rounds, **works):
    """Median seconds of each work; the works take turns, so that all of them see the same machine."""
    samples = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            samples[name].append(timed(work))
    return {name: statistics.median(values) for name, values in samples.items()}


class Report:
    """`with Report(title) as report: report.add(...)`; the table is printed at the end."""

    def __init__(self, title):
        self.title = title
        self.rows = [("what", "Stela", "plain", "ratio", "goal")]

    def add(self, what, figure, plain="", ratio="", goal=""):
        self.rows.append((what, figure, plain, ratio, goal))

    def time(self, what, own, plain, goal=""):
        """Durations; the ratio is own / plain: smaller is better."""
        self.add(what, seconds(own), seconds(plain), f"{own / plain:.2f}x", goal)

    def speed(self, what, own, plain, unit, goal=""):
        """Rates; the ratio is own / plain: larger is better."""
        self.add(what, f"{own:,.4g} {unit}", f"{plain:,.4g} {unit}", f"{own / plain:.2f}x", goal)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            return
        widths = [max(len(row[i]) for row in self.rows) for i in range(5)]
        print(f"\n{self.title}\n")
        for at, row in enumerate(self.rows):
            print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |")
            if at == 0:
                print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
        print(flush=True)

"""Planted bugs: each switched on turns a suite red, and with none every suite is green.

The switches are in engine/base/canary.h; the program has the suites of tests/crash and tests/transactions."""
import os
import re
import subprocess
import time
import unittest

SUITES = {
    "crash": "StoreCrash.*",
    "faults": "StoreFaults.*",
    "model": "StoreModel.*",
    "damage": "StoreDamage.*",
    "conflicts": "Matrix/Conflicts.*",
    "histories": "Histories.*:Bank.*",
}
# Canary -> the suite that must miss it.
CANARIES = {
    "skip_checksum": "damage",
    "skip_log_checksum": "crash",
    "replay_twice": "crash",
    "forget_member": "crash",
    "publish_before_sync": "faults",
    "ignore_failed_sync": "faults",
    "release_log_early": "crash",
    "ignore_conflict": "histories",
    "stale_base": "conflicts",
    "lose_patch_in_fold": "model",
    "reuse_row_ids": "model",
    "lose_deleted_rows": "model",
    "merge_loses_erasure": "model",
}
# Enough for each to be caught with the fixed seeds; the green run takes the same.
COUNTS = {"STELA_CRASH_IMAGES": "4000", "STELA_FAULT_RUNS": "400", "STELA_MODEL_OPERATIONS": "2000", "STELA_TEST_SCALE": "100"}


def run(suite, canary=""):
    """(exit code, tests that failed, what the first one said)"""
    done = subprocess.run([os.environ["STELA_CANARY_SUITES"], "--gtest_filter=" + SUITES[suite], "--gtest_brief=1"],
                          env={**os.environ, **COUNTS, "STELA_CANARY": canary}, text=True, errors="replace",
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=250)
    failed = re.findall(r"\[  FAILED  \] (\S+?),? (?:where|\()", done.stdout)
    said = re.search(r": Failure\n((?:.*\n){1,4})", done.stdout)
    return done.returncode, failed, " ".join(said.group(1).split()) if said else done.stdout[-300:]


class Canaries(unittest.TestCase):
    def test_each_is_caught_by_the_suite_that_is_named(self):
        print(f"\n{'canary':<20} {'suite':<10} {'s':>5}  caught by")
        for canary, suite in CANARIES.items():
            with self.subTest(canary=canary):
                began = time.monotonic()
                code, failed, said = run(suite, canary)
                print(f"{canary:<20} {suite:<10} {time.monotonic() - began:5.1f}  "
                      f"{failed[0] if failed else 'NONE'}: {said[:120]}", flush=True)
                self.assertNotEqual(code, 0, f"{canary} is planted and {suite} is green")
                self.assertTrue(failed, f"no test of {suite} failed, but the program ended with {code}: {said}")

    def test_with_none_every_suite_is_green(self):
        for suite in SUITES:
            with self.subTest(suite=suite):
                code, failed, said = run(suite)
                self.assertEqual((code, failed), (0, []), said)

    def test_a_misspelt_one_is_refused(self):
        code, _, said = run("conflicts", "ignore_conflicts")
        self.assertNotEqual(code, 0)
        self.assertIn("there is no such canary", said)


if __name__ == "__main__":
    unittest.main()

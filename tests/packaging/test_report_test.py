#!/usr/bin/env python3
"""packaging/test_report.py counts what ctest and GoogleTest write, and names what did not run."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

REPORT = pathlib.Path(__file__).resolve().parents[2] / "packaging" / "test_report.py"

GTEST = """<?xml version="1.0"?><testsuites><testsuite name="Mount">
<testcase name="lists" status="run" result="completed" classname="Mount"/>
<testcase name="reads" status="run" result="completed" classname="Mount"><failure message="no"/></testcase>
<testcase name="maps" status="run" result="skipped" classname="Mount">
  <skipped message="/src/mount_test.cc:12&#x0A;/dev/fuse does not exist&#x0A;"/></testcase>
<testcase name="pyarrow" status="run" result="skipped" classname="Mount">
  <skipped message="/src/mount_test.cc:20&#x0A;needs PyPI: pyarrow&#x0A;"/></testcase>
</testsuite></testsuites>"""


def ctest(*cases):
    return '<?xml version="1.0"?><testsuite name="(empty)">' + "".join(cases) + "</testsuite>"


PASSED = '<testcase name="layering" status="run"/>'
MOUNT_FAILED = '<testcase name="mount" status="fail"><failure message=""/></testcase>'
ABSENT = '<testcase name="gone" status="notrun"><skipped message="Unable to find executable"/></testcase>'
LEFT_OUT = '<testcase name="root" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/></testcase>'


class TestReportTest(unittest.TestCase):
    def report(self, files, ci="false"):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                (pathlib.Path(folder) / name).write_text(text)
            done = subprocess.run([sys.executable, REPORT, folder], capture_output=True, text=True,
                                  env={**os.environ, "CI": ci}, check=False)
            return done.returncode, done.stdout.splitlines()

    def test_tests_of_a_binary_are_counted_one_by_one(self):
        code, lines = self.report({"ctest.junit": ctest(PASSED, MOUNT_FAILED), "mount.xml": GTEST})
        self.assertEqual((code, lines[-1]), (1, "2 passed, 1 failed, 2 skipped"))
        self.assertIn("  mount: Mount.reads", lines)
        self.assertIn("Skipped (/dev/fuse does not exist):", lines)

    def test_in_ci_a_skip_for_fuse_fails_and_one_for_pypi_does_not(self):
        passing = GTEST.replace('<failure message="no"/>', "")
        files = {"ctest.junit": ctest('<testcase name="mount" status="run"/>'), "mount.xml": passing}
        self.assertEqual(self.report(files)[0], 0)
        code, lines = self.report(files, ci="true")
        self.assertEqual((code, lines[-1]), (1, "2 passed, 1 failed, 1 skipped"))

    def test_a_binary_that_crashed_is_a_failure(self):
        code, lines = self.report({"ctest.junit": ctest(PASSED, MOUNT_FAILED)})
        self.assertEqual((code, lines[-1]), (1, "1 passed, 1 failed, 0 skipped"))
        passing = GTEST.replace('<failure message="no"/>', "")
        code, lines = self.report({"ctest.junit": ctest(MOUNT_FAILED), "mount.xml": passing})
        self.assertEqual((code, lines[-1]), (1, "2 passed, 1 failed, 2 skipped"))

    def test_an_absent_program_is_a_failure_and_a_declared_skip_is_not(self):
        code, lines = self.report({"ctest.junit": ctest(PASSED, ABSENT, LEFT_OUT)})
        self.assertEqual((code, lines[-1]), (1, "1 passed, 1 failed, 1 skipped"))

    def test_nothing_run_is_a_failure(self):
        self.assertEqual(self.report({"ctest.junit": ctest()})[0], 1)
        self.assertEqual(self.report({})[0], 1)


if __name__ == "__main__":
    unittest.main()

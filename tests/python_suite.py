#!/usr/bin/env python3
"""Runs the unittest files of a folder and writes their verdicts, test by test, for packaging/test_report.py.

    python_suite.py FOLDER|FILE [RESULT.xml] [-k PATTERN]...      files *_test.py; exit code 1 on failures or without tests
"""
import argparse
import pathlib
import re
import sys
import time
import unittest
import xml.etree.ElementTree as ElementTree


class Recorder(unittest.TextTestResult):
    """Adds a testcase element for each test; a test with failed subtests has one failure for each."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.root = ElementTree.Element("testsuite")
        self.case, self.began = None, 0.0

    def element_of(self, test):
        identity = (getattr(test, "test_case", None) or test).id()
        of_class = re.fullmatch(r"(\w+) \((?:.*\.)?(\w+)\)", identity)  # "setUpClass (file_test.Class)", "setUpModule (file_test)"
        classname, name = of_class.group(2, 1) if of_class else identity.split(".")[-2:]
        if self.case is None or self.case.get("name") != name or self.case.get("classname") != classname:
            self.case = ElementTree.SubElement(self.root, "testcase", name=name, classname=classname, status="run")
        return self.case

    def startTest(self, test):
        self.case, self.began = None, time.monotonic()
        super().startTest(test)
        self.element_of(test)

    def stopTest(self, test):
        self.element_of(test).set("time", f"{time.monotonic() - self.began:.3f}")
        super().stopTest(test)

    def note(self, test, kind, message):
        ElementTree.SubElement(self.element_of(test), kind, message=message)

    def addError(self, test, err):  # a failing setUpClass comes here without startTest
        super().addError(test, err)
        self.note(test, "failure", str(err[1]))

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.note(test, "failure", str(err[1]))

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.note(test, "failure", f"{subtest}: {err[1]}")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.note(test, "skipped", reason)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("result", type=pathlib.Path, nargs="?")
    parser.add_argument("-k", dest="patterns", action="append", help="only tests whose names match")
    arguments = parser.parse_args()

    loader = unittest.TestLoader()
    if arguments.patterns:
        loader.testNamePatterns = [p if "*" in p else f"*{p}*" for p in arguments.patterns]
    folder, files = arguments.folder, "*_test.py"
    if folder.is_file():
        folder, files = folder.parent, folder.name
    suite = loader.discover(str(folder), pattern=files, top_level_dir=str(folder))
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Recorder).run(suite)
    if arguments.result:
        arguments.result.parent.mkdir(parents=True, exist_ok=True)
        ElementTree.ElementTree(result.root).write(arguments.result, encoding="utf-8", xml_declaration=True)
    return 0 if result.wasSuccessful() and result.root.find("testcase") is not None else 1


if __name__ == "__main__":
    sys.exit(main())

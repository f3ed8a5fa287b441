#!/usr/bin/env python3
"""The layer check finds planted wrong includes, and leaves right ones alone."""
import pathlib
import tempfile
import unittest

import check_layers

WRONG = [
    ("engine/store/store.cc", '#include "snapshots/tags.h"'),
    ("engine/io/posix_env.cc", '#include "fsd/tree/tree.h"'),
    ("snapshots/tags.cc", '#include "fsd/tree/tree.h"'),
    ("snapshots/tags.cc", '  #  include   "fsd/views/view.h"'),
    ("engine/base/status.h", '#include "engine/types/data_type.h"'),
    ("engine/types/column.h", '#include "engine/io/env.h"'),
    ("engine/io/env.h", '#include "engine/catalog/keys.h"'),
    ("engine/catalog/keys.h", '#include "engine/format/fragment.h"'),
    ("engine/format/fragment.h", '#include "engine/store/store.h"'),
    ("engine/format/fragment.h", '#include "engine/log/log_writer.h"'),
    ("engine/log/log_writer.h", '#include "engine/format/fragment.h"'),
    ("engine/log/log_writer.h", '#include "engine/store/store.h"'),
    ("fsd/views/view.cc", '#include "fsd/tree/tree.h"'),
    ("fsd/tree/tree.cc", '#include "fsd/fuse/session.h"'),
    ("fsd/tree/tree.cc", "#include <fuse3/fuse_lowlevel.h>"),
    ("engine/io/env.cc", "#include <fuse_lowlevel.h>"),
    ("fsd/daemon/mount.cc", '#include "fsd/cli/verbs.h"'),
    ("fsd/cli/verbs.cc", '#include "tests/engine/model.h"'),
    ("engine/store/store.cc", '#include "bench/clock.h"'),
    ("engine/store/store.cc", "#include <snapshots/tags.h>"),
    ("engine/store/store.cc", '#include "snapshot.h"'),
]
RIGHT = [
    ("engine/store/store.cc", '#include "engine/log/log_writer.h"'),
    ("engine/store/store.cc", '#include "engine/store/snapshot.h"'),
    ("engine/log/log_writer.cc", '#include "engine/io/env.h"'),
    ("engine/format/fragment.cc", '#include "engine/catalog/catalog.h"'),
    ("snapshots/tags.cc", '#include "engine/store/store.h"'),
    ("fsd/tree/tree.cc", '#include "fsd/views/view.h"'),
    ("fsd/fuse/session.cc", "#include <fuse3/fuse_lowlevel.h>"),
    ("fsd/main.cc", '#include "fsd/cli/program.h"'),
    ("fsd/views/view.cc", '// #include "fsd/tree/tree.h"'),
    ("engine/base/crc.cc", "#include <isa-l/crc.h>"),
]


class CheckLayersTest(unittest.TestCase):
    def findings(self, path, line):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / path
            file.parent.mkdir(parents=True)
            file.write_text(f"// A file.\n{line}\n")
            found, files = check_layers.check(pathlib.Path(folder))
            self.assertEqual(files, 1)
            return found

    def test_planted_includes_are_caught(self):
        for path, line in WRONG:
            with self.subTest(path=path, line=line):
                found = self.findings(path, line)
                self.assertEqual(len(found), 1)
                self.assertTrue(found[0].startswith(f"{path}:2: "), found[0])

    def test_right_includes_pass(self):
        for path, line in RIGHT:
            with self.subTest(path=path, line=line):
                self.assertEqual(self.findings(path, line), [])


if __name__ == "__main__":
    unittest.main()

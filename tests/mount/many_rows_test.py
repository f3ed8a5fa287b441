"""Files beyond 32 bits through a mount: 2^32 + 1 rows as a plain file and as pages, and a large file read at its end. The
arrays are sparse files, which stay sparse in the store; STELA_LARGE_GB (5) is the size of the large one."""
import os
import unittest

import numpy

from mounted_store import OPTIONS, MountCase

# Sanitizers have less time, and what is masked of the kernel does not change with the size.
FULL = int(os.environ.get("STELA_TEST_SCALE") or 100) >= 50 and not OPTIONS
BORDER = 1 << 32 if FULL else 1 << 24
LARGE = int(os.environ.get("STELA_LARGE_GB") or (5 if FULL else 1)) * 10**9
MEMORY_MAX = 700 << 20  # import_memory is 256 MiB, block_cache 256 MiB


def sparse_npy(path, dtype, rows, values):
    """A .npy of zeros but for `values`, by row; takes no room."""
    with open(path, "wb") as file:
        numpy.lib.format.write_array_header_1_0(file, {"descr": dtype.str, "fortran_order": False, "shape": (rows,)})
        header = file.tell()
        file.truncate(header + rows * dtype.itemsize)
        for row, value in values.items():
            file.seek(header + row * dtype.itemsize)
            file.write(numpy.array([value], dtype).tobytes())
    return header


class ManyRows(MountCase):
    SECONDS_MAX = 280 + LARGE // 10**9 * 4
    VALUES = {0: 1, 2: 2, BORDER // 2: 3, BORDER - 1: 4, BORDER: 5}

    def memory_peak(self):
        for line in open(f"/proc/{self.daemon_pid()}/status", encoding="ascii"):
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) << 10
        return 0

    def expect(self, path, header, width, rows, values):
        self.assertEqual(os.stat(path).st_size, header + rows * width)
        mapped = numpy.load(path, mmap_mode="r")
        self.assertEqual(mapped.shape, (rows,))
        for row, value in values.items():
            self.assertEqual(mapped[row], value, row)
        file = os.open(path, os.O_RDONLY)
        try:
            for row in (0, rows // 2, BORDER // width - 8, BORDER - 8, rows - 8):
                if not 0 <= row < rows:
                    continue
                count = min(16, rows - row)
                wanted = numpy.zeros(count, mapped.dtype)
                for at, value in values.items():
                    if row <= at < row + count:
                        wanted[at - row] = value
                self.assertEqual(os.pread(file, 16 * width, header + row * width), wanted.tobytes(), row)
            self.assertEqual(os.pread(file, 16, header + rows * width), b"")
        finally:
            os.close(file)

    def test_2_to_the_32_rows_and_one(self):
        header = sparse_npy(self.folder / "x.npy", numpy.dtype("i1"), BORDER + 1, self.VALUES)
        self.stela("import", self.store, "/many/x.npy", self.folder / "x.npy")
        path = self.mnt / "many/x.npy"
        self.expect(path, header, 1, BORDER + 1, self.VALUES)
        self.assertEqual(os.getxattr(path, "user.stela.rows"), str(BORDER + 1).encode())
        (flat,) = (self.store / "data").rglob("*.flat")
        self.assertLess(flat.stat().st_blocks * 512, 16 << 20)
        self.stela("compact", self.store, "/many", "--cold")
        self.umount()
        self.mount()
        self.assertFalse(list((self.store / "data").rglob("*.flat")))
        self.expect(path, header, 1, BORDER + 1, self.VALUES)
        self.assertLess(self.memory_peak(), MEMORY_MAX)

    def test_a_large_file_is_read_at_its_end(self):
        rows = LARGE // 8
        values = {0: 1, rows // 2: -2, rows - 1: 3}
        header = sparse_npy(self.folder / "x.npy", numpy.dtype("i8"), rows, values)
        self.stela("import", self.store, "/large/x.npy", self.folder / "x.npy")
        self.assertLess(self.memory_peak(), MEMORY_MAX)
        path = self.mnt / "large/x.npy"
        self.expect(path, header, 8, rows, values)
        self.umount()
        self.mount()
        self.expect(path, header, 8, rows, values)
        self.assertLess(self.memory_peak(), MEMORY_MAX)


if __name__ == "__main__":
    unittest.main()

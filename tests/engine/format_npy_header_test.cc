#include <gtest/gtest.h>

#include "engine/format/fragment.h"

namespace stela::format {
namespace {

// What np.save of NumPy 1.24 and 2.4 writes.
std::string golden(std::string dictionary, size_t size) {
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>((size - 10) & 0xff);
  header += static_cast<char>((size - 10) >> 8);
  header += dictionary;
  header.append(size - header.size() - 1, ' ');
  return header + "\n";
}

TEST(NpyHeader, IsWhatNumpyWrites) {
  struct Case {
    const char* type;
    uint64_t rows;
    const char* dictionary;
    size_t size;
  };
  for (const Case& c : {
           Case{"bool", 0, "{'descr': '|b1', 'fortran_order': False, 'shape': (0,), }", 128},
           Case{"int8", 1, "{'descr': '|i1', 'fortran_order': False, 'shape': (1,), }", 128},
           Case{"uint8", 9, "{'descr': '|u1', 'fortran_order': False, 'shape': (9,), }", 128},
           Case{"int16", 10, "{'descr': '<i2', 'fortran_order': False, 'shape': (10,), }", 128},
           Case{"uint64", 7, "{'descr': '<u8', 'fortran_order': False, 'shape': (7,), }", 128},
           Case{"float16", 7, "{'descr': '<f2', 'fortran_order': False, 'shape': (7,), }", 128},
           Case{"float64", 336776, "{'descr': '<f8', 'fortran_order': False, 'shape': (336776,), }", 128},
           Case{"date", 3, "{'descr': '<M8[D]', 'fortran_order': False, 'shape': (3,), }", 128},
           Case{"timestamp[us, UTC]", 3, "{'descr': '<M8[us]', 'fortran_order': False, 'shape': (3,), }", 128},
           Case{"time[ns]", 3, "{'descr': '<m8[ns]', 'fortran_order': False, 'shape': (3,), }", 128},
           Case{"duration[s]", 3, "{'descr': '<m8[s]', 'fortran_order': False, 'shape': (3,), }", 128},
           Case{"float32[384]", 100000, "{'descr': '<f4', 'fortran_order': False, 'shape': (100000, 384), }", 128},
           Case{"uint8[3,32,32]", 99, "{'descr': '|u1', 'fortran_order': False, 'shape': (99, 3, 32, 32), }", 128},
           Case{"float64[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", 0,
                "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, "
                "1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1), }",
                192},
       }) {
    auto type = DataType::parse(c.type);
    ASSERT_TRUE(type.ok()) << type.status().message();
    EXPECT_EQ(npy_header(*type, c.rows), golden(c.dictionary, c.size)) << c.type;
  }
}

TEST(NpyHeader, ItsLengthDoesNotDependOnTheRows) {
  for (const char* name : {"int64", "float32[384]", "timestamp[ns]", "uint8[3,32,32]"}) {
    DataType type = *DataType::parse(name);
    size_t size = npy_header(type, 0).size();
    EXPECT_EQ(size % 64, 0u);
    for (uint64_t rows = 1; rows < UINT64_MAX / 10; rows *= 10) EXPECT_EQ(npy_header(type, rows).size(), size);
    EXPECT_EQ(npy_header(type, UINT64_MAX).size(), size);
  }
}

TEST(DataFileName, HasTheFolderOfItsThousand) {
  EXPECT_EQ(data_file_name(FileId(0), FileKind::kFragment), "data/0/0.frag");
  EXPECT_EQ(data_file_name(FileId(1023), FileKind::kFlat), "data/0/1023.flat");
  EXPECT_EQ(data_file_name(FileId(1024), FileKind::kFlat), "data/1/1024.flat");
}

}  // namespace
}  // namespace stela::format

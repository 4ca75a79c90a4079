#include "spool/segment_reader.hpp"

#include <gtest/gtest.h>

#include "faulty_files.hpp"

namespace outpost::spool {
namespace {

// Found by spool_record_fuzz: a segment that a crash left empty was reported as damaged.
TEST(SegmentReader, AnEmptyFileHoldsNoRecordsAndNoDamage) {
    FaultyFiles files;
    ASSERT_TRUE(files.create_directories("/spool"));
    const auto file = files.open("/spool/00000001.log", OpenMode::create);
    ASSERT_TRUE(file);
    const auto scan = scan_segment(**file, 1);
    ASSERT_TRUE(scan);
    EXPECT_TRUE(scan->entries.empty());
    EXPECT_TRUE(scan->damage.empty());
}

}  // namespace
}  // namespace outpost::spool

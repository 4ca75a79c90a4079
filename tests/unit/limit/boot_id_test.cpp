#include "limit/boot_id.hpp"

#include <gtest/gtest.h>

namespace outpost::limit {
namespace {

TEST(BootId, IsReadFromTheKernel) {
    EXPECT_EQ(read_boot_id().size(), 36U);
    EXPECT_EQ(read_boot_id(), read_boot_id());
    EXPECT_EQ(read_boot_id("/nonexistent"), "");
}

}  // namespace
}  // namespace outpost::limit

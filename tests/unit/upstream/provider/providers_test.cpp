#include "upstream/provider/providers.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace outpost::upstream {
namespace {

TEST(Providers, AreFoundByTypeAndStandInOrder) {
    EXPECT_EQ(all_providers().size(), 13U);
    EXPECT_TRUE(std::ranges::is_sorted(all_providers(), std::ranges::less(),
                                       [](const Provider* each) { return each->type; }));
    for (const auto* each : all_providers()) EXPECT_EQ(find_provider(each->type), each);
    EXPECT_EQ(find_provider("ses"), &ses_provider);
    EXPECT_EQ(find_provider("smtp"), nullptr);
    EXPECT_EQ(find_provider(""), nullptr);
}

TEST(Providers, AreWhole) {
    for (const auto* each : all_providers()) {
        SCOPED_TRACE(each->type);
        EXPECT_FALSE(each->title.empty());
        EXPECT_TRUE(each->endpoint.starts_with("https://") && !each->endpoint.ends_with('/'));
        EXPECT_TRUE(each->eu_endpoint.empty() || each->eu_endpoint.starts_with("https://"));
        EXPECT_GT(each->recipients.to, 0U);
        EXPECT_GT(each->recipients.total, 0U);
        EXPECT_NE(each->request, nullptr);
        EXPECT_NE(each->outcomes, nullptr);
        EXPECT_NE(each->probe, nullptr);
    }
}

}  // namespace
}  // namespace outpost::upstream

#include "control/prometheus_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outpost::control {
namespace {

using base::metrics::Kind;
using base::metrics::Snapshot;

TEST(PrometheusText, SortsFamiliesAndEscapesLabels) {
    const std::string text =
        prometheus_text({{.name = "b",
                          .help = "The second.",
                          .kind = Kind::gauge,
                          .label_names = {"file"},
                          .samples = {{.labels = {"a \"b\"\\c\n"}, .value = -1.5}}},
                         {.name = "a_total",
                          .help = "The first.",
                          .kind = Kind::counter,
                          .samples = {{.labels = {}, .value = 3}}}});
    EXPECT_EQ(text,
              "# HELP a_total The first.\n# TYPE a_total counter\na_total 3\n"
              "# HELP b The second.\n# TYPE b gauge\nb{file=\"a \\\"b\\\"\\\\c\\n\"} -1.5\n");
}

TEST(PrometheusText, CountsOfAHistogramAddUp) {
    static constexpr double bounds[] = {0.5, 1};
    const std::string text =
        prometheus_text({{.name = "wait",
                          .help = "Waits.",
                          .kind = Kind::histogram,
                          .label_names = {"p"},
                          .samples = {{.labels = {"1"},
                                       .value = 0,
                                       .histogram = {.counts = {2, 3, 4}, .sum = 12.5}}},
                          .bounds = bounds}});
    EXPECT_EQ(text,
              "# HELP wait Waits.\n# TYPE wait histogram\n"
              "wait_count{p=\"1\"} 9\nwait_sum{p=\"1\"} 12.5\n"
              "wait_bucket{p=\"1\",le=\"0.5\"} 2\nwait_bucket{p=\"1\",le=\"1\"} 5\n"
              "wait_bucket{p=\"1\",le=\"+Inf\"} 9\n");
}

TEST(PrometheusText, AFamilyWithoutMembersIsStillNamed) {
    EXPECT_EQ(prometheus_text({{.name = "none", .help = "Nothing.", .kind = Kind::gauge}}),
              "# HELP none Nothing.\n# TYPE none gauge\n");
}

}  // namespace
}  // namespace outpost::control

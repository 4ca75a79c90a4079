#include "upstream/api_message.hpp"

#include <gtest/gtest.h>

#include "upstream/provider/json_message.hpp"
#include "upstream/provider/providers.hpp"

namespace outpost::upstream {
namespace {

/// After a stream that was refused nobody knows, unless the provider knows the same call again.
TEST(BuildRequest, WantsHttp2OnlyWhereACallMayBeRepeated) {
    const test::JsonMessage message(test::Shape::bare);
    for (const auto* provider : {&sendgrid_provider, &postmark_provider, &resend_provider,
                                 &brevo_provider, &mailjet_provider}) {
        const auto request =
            build_request(*provider, test::fake_settings(*provider), message.call());
        ASSERT_TRUE(request) << provider->title;
        EXPECT_EQ(request->http2, provider == &resend_provider || provider == &brevo_provider)
            << provider->title;
    }
}

}  // namespace
}  // namespace outpost::upstream

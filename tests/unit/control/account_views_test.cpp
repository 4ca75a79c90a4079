#include "control/account_views.hpp"

#include <gtest/gtest.h>

namespace outpost::control {
namespace {

using namespace std::chrono_literals;

AccountKeeper::View shop() {
    AccountKeeper::View view{
        .account = {}, .place = "outpost.yaml:9:3", .fault = {}, .disabled = {}};
    view.account.name = "shop";
    return view;
}

TEST(AccountViews, TellWhereAnAccountIsFrom) {
    auto view = shop();
    EXPECT_EQ(to_json(view, {}).at("origin"), "file");
    view.place.clear();
    view.account.removed = true;
    EXPECT_EQ(to_json(view, {}).at("origin"), "file") << "it was in the file";
    EXPECT_TRUE(to_json(view, {}).at("place").is_null());
    view.created = base::WallTime{} + 1h;
    EXPECT_EQ(to_json(view, {}).at("origin"), "added");
}

TEST(AccountViews, TellThatTooManyLoginsHaveFailed) {
    EXPECT_TRUE(to_json(shop(), {}).at("locked_until").is_null());
    const AccountUse locked{.locked_until = base::WallTime{} + 1h};
    EXPECT_TRUE(
        to_json(shop(), locked).at("locked_until").as_string().starts_with("1970-01-01T01:00:00"));
}

}  // namespace
}  // namespace outpost::control

#include "control/account_keeper.hpp"

#include <SQLiteCpp/Database.h>
#include <gmock/gmock.h>

#include <filesystem>

#include "account/scram.hpp"
#include "base/error.hpp"
#include "config/scram_value.hpp"
#include "control/account_views.hpp"
#include "store/database.hpp"
#include "store/writer.hpp"

namespace outpost::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Kind = AccountKeeper::Failure::Kind;

class Keeper : public testing::Test {
  protected:
    Keeper() {
        std::string pattern = (std::filesystem::temp_directory_path() / "outpost-XXXXXX").string();
        directory_ = mkdtemp(pattern.data());
        database_.emplace(directory_ / "outpost.db");
        writer_.emplace(*database_);
        store_.emplace(*database_, *writer_);
        add_to_file("web");
        file.upstreams["out"].name = "out";
        file.account_defaults.account.route = "out";
        file.account_defaults.account.priority = 4;
    }
    ~Keeper() override {
        keeper_.reset();
        writer_.reset();
        std::filesystem::remove_all(directory_);
    }

    void add_to_file(const std::string& name) {
        auto& account = file.accounts[name];
        account.name = name;
        account.route = "out";
        file.account_places[name] = "outpost.yaml:7:3";
        account.password = base::Secret("secret");
    }
    AccountKeeper& keeper() {
        if (!keeper_) start();
        return *keeper_;
    }
    /// As at a start of the daemon.
    void start() {
        keeper_.emplace(*store_, clock_, file, "key");
        keeper_->on_change([this](const config::Config& config) {
            ++applied;
            last = config;
            // By now it is on stable storage.
            auto stored = store_->load();
            if (stored.accounts.contains("shop"))
                stored_note = stored.accounts.at("shop").settings["note"];
        });
    }
    std::string state(const std::string& name) {
        const auto view = keeper().find(name);
        return view ? std::string(state_of(*view)) : "none";
    }
    template <class T>
    static std::string failure(const AccountKeeper::Result<T>& result) {
        return result ? "" : result.error().text;
    }
    void break_database() {
        database_->connect()->exec(
            "CREATE TRIGGER broken BEFORE INSERT ON account "
            "BEGIN SELECT RAISE(ABORT, 'disk is full'); END");
    }

    config::Config file;
    config::Config last;
    int applied = 0;
    std::string stored_note;

  private:
    std::filesystem::path directory_;
    base::SystemClock clock_;
    std::optional<store::Database> database_;
    std::optional<store::Writer> writer_;
    std::optional<store::AccountStore> store_;
    std::optional<AccountKeeper> keeper_;
};

TEST_F(Keeper, AnAddedAccountIsInEffectWithAPasswordThatFitsItsHash) {
    const auto password = keeper().add("shop", {{"domains", "example.com"}, {"note", "x"}});
    ASSERT_TRUE(password) << failure(password);
    EXPECT_EQ(applied, 1);
    EXPECT_EQ(stored_note, "x");
    const config::Account& shop = last.accounts.at("shop");
    EXPECT_EQ(shop.priority, 4);
    const auto hash = config::ScramValue::parse(shop.password_hash);
    ASSERT_TRUE(hash);
    EXPECT_TRUE(account::scram::verify(*hash, password->reveal()));
    EXPECT_TRUE(last.accounts.contains("web"));
    start();
    EXPECT_EQ(keeper().config()->accounts.at("shop").password_hash, shop.password_hash);
}

TEST_F(Keeper, HashesWhatTheFileHasInTheClear) {
    const config::Account& web = keeper().config()->accounts.at("web");
    EXPECT_TRUE(web.password.empty());
    const auto hash = config::ScramValue::parse(web.password_hash);
    ASSERT_TRUE(hash);
    EXPECT_TRUE(account::scram::verify(*hash, "secret"));
}

TEST_F(Keeper, WhatCannotBeChangesNothing) {
    ASSERT_TRUE(keeper().add("shop", {}));
    const auto hash = last.accounts.at("shop").password_hash;
    const auto refused = keeper().add("web", {});
    EXPECT_THAT(failure(refused), HasSubstr("account web is in the configuration, at "
                                            "outpost.yaml:7:3"));
    EXPECT_THAT(failure(keeper().add("shop", {})), HasSubstr("there already"));
    EXPECT_THAT(failure(keeper().add("defaults", {})), HasSubstr("choose another name"));
    EXPECT_THAT(failure(keeper().add(" a", {})), HasSubstr("begins or ends with a space"));
    EXPECT_THAT(failure(keeper().add("new", {{"weight", "0"}})), HasSubstr("weight: \"0\""));
    EXPECT_THAT(failure(keeper().set("shop", {{"weight", "0"}})), HasSubstr("weight: \"0\""));
    EXPECT_THAT(failure(keeper().set("shop", {})), HasSubstr("nothing is to be changed"));
    EXPECT_EQ(keeper().set("shpo", {{"weight", "1"}}).error().kind, Kind::unknown);
    EXPECT_EQ(keeper().disable("nobody").error().kind, Kind::unknown);
    for (const auto& text :
         {failure(keeper().set("web", {{"weight", "1"}})), failure(keeper().remove("web")),
          failure(keeper().reset_password("web"))})
        EXPECT_THAT(text, HasSubstr("account web is in the configuration, at outpost.yaml:7:3; "));
    EXPECT_EQ(applied, 1);
    EXPECT_EQ(keeper().config()->accounts.at("shop").password_hash, hash);
}

TEST_F(Keeper, AChangeThatCannotBeStoredDoesNotHappen) {
    (void)keeper();
    break_database();
    const auto failed = keeper().add("shop", {});
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind, Kind::broken);
    EXPECT_THAT(failed.error().text, HasSubstr("disk is full"));
    EXPECT_EQ(applied, 0);
    EXPECT_EQ(state("shop"), "none");
}

TEST_F(Keeper, SetChangesWhatItNamesAndAnEmptyValueIsInheritedAgain) {
    ASSERT_TRUE(keeper().add("shop", {{"priority", "1"}, {"note", "x"}}));
    ASSERT_TRUE(keeper().set("shop", {{"weight", "7"}, {"priority", ""}}));
    const config::Account& shop = last.accounts.at("shop");
    EXPECT_EQ(shop.weight, 7U);
    EXPECT_EQ(shop.priority, 4);
    EXPECT_EQ(shop.note, "x");
}

TEST_F(Keeper, ARemovedAccountKeepsItsLimitsButNoPassword) {
    ASSERT_TRUE(keeper().add("shop", {{"rate", "5/s"}}));
    ASSERT_TRUE(keeper().disable("shop"));
    ASSERT_TRUE(keeper().remove("shop"));
    for (int restart = 0; restart < 2; ++restart) {
        const auto config = keeper().config();
        EXPECT_TRUE(config->accounts.at("shop").removed);
        EXPECT_EQ(config->accounts.at("shop").password_hash, "");
        EXPECT_EQ(config->accounts.at("shop").limits.rates.size(), 1U);
        EXPECT_EQ(state("shop"), "removed");
        start();
    }
    EXPECT_EQ(keeper().remove("shop").error().kind, Kind::unknown);
    EXPECT_EQ(keeper().enable("shop").error().kind, Kind::unknown);
    ASSERT_TRUE(keeper().add("shop", {}));
    EXPECT_EQ(state("shop"), "active");
    EXPECT_TRUE(last.accounts.at("shop").limits.rates.empty());
}

TEST_F(Keeper, AnAccountOfTheFileIsDisabledAndEnabled) {
    ASSERT_TRUE(keeper().disable("web"));
    EXPECT_FALSE(last.accounts.at("web").active);
    start();
    EXPECT_EQ(state("web"), "disabled");
    ASSERT_TRUE(keeper().enable("web"));
    EXPECT_TRUE(last.accounts.at("web").active);
    file.accounts["web"].active = false;
    start();
    EXPECT_EQ(state("web"), "inactive");
    EXPECT_THAT(failure(keeper().enable("web")), HasSubstr("at outpost.yaml:7:3; change `active`"));
}

TEST_F(Keeper, ANameInBothPlacesIsToldWithItsPlace) {
    ASSERT_TRUE(keeper().add("shop", {}));
    add_to_file("shop");
    const auto reloaded = keeper().reload(file, [](const config::Config&) {});
    ASSERT_FALSE(reloaded);
    EXPECT_THAT(reloaded.error(),
                ElementsAre(HasSubstr("outpost.yaml:7:3: account shop was also")));
    EXPECT_EQ(keeper().find("shop")->place, "");
    try {
        start();
        ADD_FAILURE() << "started";
    } catch (const base::StartFailure& e) {
        EXPECT_THAT(e.what(), HasSubstr("outpost.yaml:7:3: account shop was also made with"));
    }
    file.accounts.erase("shop");
    file.account_places.erase("shop");
    start();
    ASSERT_TRUE(keeper().remove("shop"));
    add_to_file("shop");
    start();
    EXPECT_EQ(state("shop"), "active");
    EXPECT_EQ(keeper().find("shop")->place, "outpost.yaml:7:3");
}

TEST_F(Keeper, AReloadKeepsAddedAccountsAndLeavesThoseThatAreGoneAsRemoved) {
    ASSERT_TRUE(keeper().add("shop", {}));
    file.accounts.clear();
    file.account_places.clear();
    add_to_file("new");
    file.account_defaults.account.priority = 1;
    ASSERT_TRUE(keeper().reload(file, [this](const config::Config& config) { last = config; }));
    EXPECT_EQ(last.accounts.at("shop").priority, 1);
    EXPECT_FALSE(last.accounts.at("new").removed);
    EXPECT_TRUE(last.accounts.at("web").removed);
    EXPECT_EQ(last.accounts.at("web").password_hash, "");
    ASSERT_TRUE(keeper().set("shop", {{"weight", "2"}}));
    EXPECT_TRUE(last.accounts.at("web").removed);
    ASSERT_TRUE(keeper().add("web", {}));
    EXPECT_FALSE(last.accounts.at("web").removed);
}

TEST_F(Keeper, AReloadThatFailsLeavesAllAsItWas) {
    (void)keeper();
    add_to_file("new");
    const auto fails = [](const config::Config&) { throw std::runtime_error("no such file"); };
    EXPECT_THROW((void)keeper().reload(file, fails), std::runtime_error);
    EXPECT_FALSE(keeper().config()->accounts.contains("new"));
    ASSERT_TRUE(keeper().add("new", {}));
}

TEST_F(Keeper, AnAccountThatNoLongerFitsIsInactiveUntilItIsSet) {
    file.upstreams["old"].name = "old";
    ASSERT_TRUE(keeper().add("shop", {{"route", "old"}}));
    file.upstreams.erase("old");
    start();
    EXPECT_EQ(state("shop"), "faulty");
    EXPECT_THAT(keeper().find("shop")->fault, HasSubstr("route: there is no upstream \"old\""));
    EXPECT_FALSE(keeper().config()->accounts.at("shop").active);
    ASSERT_TRUE(keeper().set("shop", {{"route", "out"}}));
    EXPECT_EQ(state("shop"), "active");

    // Without any way for its mail it takes part in nothing.
    file.account_defaults.account.route.clear();
    file.account_defaults.names_route = true;
    ASSERT_TRUE(keeper().set("shop", {{"route", ""}}));
    start();
    EXPECT_FALSE(keeper().config()->accounts.contains("shop"));
    EXPECT_EQ(state("shop"), "faulty");
}

TEST_F(Keeper, AnEffectThatFailsIsTold) {
    keeper().on_change([](const config::Config&) { throw std::runtime_error("no more ids"); });
    const auto added = keeper().add("shop", {});
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().kind, Kind::broken);
    EXPECT_THAT(added.error().text, HasSubstr("takes effect at the next start only: no more ids"));
}

TEST_F(Keeper, ViewsShowNoHash) {
    ASSERT_TRUE(keeper().add("shop", {}));
    const auto view = keeper().find("shop");
    ASSERT_TRUE(view);
    for (const auto& [key, value] : to_json(*view, {})) {
        EXPECT_THAT(std::string(key), testing::Not(HasSubstr("password")));
        if (value.is_string())
            EXPECT_THAT(std::string(value.as_string()), testing::Not(HasSubstr("SCRAM")));
    }
}

}  // namespace
}  // namespace outpost::control

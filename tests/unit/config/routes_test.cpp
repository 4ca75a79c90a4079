#include <gmock/gmock.h>

#include "files.hpp"

namespace outpost::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// Three upstreams and two accounts, the first with a route; tests put groups and routes after it.
class ConfigRoutes : public ConfigFiles {
  protected:
    static std::string base(const std::string& account_keys = "") {
        return "listen: [{ports: [1025]}]\n"
               "tls: {certificates: [{certificate: cert.pem, key: key.pem}]}\n"
               "upstreams:\n"
               "  office: {type: sandbox, directory: a}\n"
               "  ses: {type: sandbox, directory: b}\n"
               "  mailgun: {type: sandbox, directory: c}\n"
               "accounts:\n"
               "  shop: {password: secret, authorized_domains: [example.com], route: office}\n"
               "  crm: {password: secret, authorized_domains: [example.com]" +
               account_keys + "}\n";
    }
    Config loaded(const std::string& more) {
        auto config = load_text(base() + more);
        EXPECT_TRUE(config) << config.error().front().text();
        return config ? std::move(*config) : Config{};
    }
    std::string faults(const std::string& more) { return errors(base() + more); }
};

TEST_F(ConfigRoutes, GroupsHaveMembersInOrder) {
    const Config config = loaded(
        "groups:\n"
        "  bulk: {upstreams: [ses, mailgun]}\n"
        "  spill: {strategy: overflow, upstreams: ses;office}\n"
        "  spread: {strategy: weighted, upstreams: {ses: 3, mailgun: 1}}\n"
        "routes: [{via: bulk}]\n");
    EXPECT_EQ(config.groups.at("bulk").strategy, Strategy::failover);
    EXPECT_THAT(config.groups.at("bulk").members,
                ElementsAre(Group::Member{"ses", 1}, Group::Member{"mailgun", 1}));
    EXPECT_EQ(config.groups.at("spill").strategy, Strategy::overflow);
    EXPECT_THAT(config.groups.at("spread").members,
                ElementsAre(Group::Member{"ses", 3}, Group::Member{"mailgun", 1}));
}

TEST_F(ConfigRoutes, FaultsOfGroups) {
    const std::string routes = "routes: [{via: office}]\n";
    EXPECT_THAT(faults("groups: {bulk: {upstreams: [sess]}}\n" + routes),
                HasSubstr("groups.bulk.upstreams: there is no upstream \"sess\"; did you mean "
                          "\"ses\"?"));
    EXPECT_THAT(faults("groups: {bulk: {upstreams: [ses, ses]}}\n" + routes),
                HasSubstr("names \"ses\" twice"));
    EXPECT_THAT(faults("groups: {bulk: {upstreams: []}}\n" + routes), HasSubstr("no upstream"));
    EXPECT_THAT(faults("groups: {bulk: {strategy: failover}}\n" + routes),
                HasSubstr("groups.bulk.upstreams: is missing"));
    EXPECT_THAT(faults("groups: {bulk: {upstreams: {ses: 1}}}\n" + routes),
                HasSubstr("only strategy weighted has weights"));
    EXPECT_THAT(faults("groups: {bulk: {strategy: weighted, upstreams: [ses]}}\n" + routes),
                HasSubstr("must give each upstream its weight"));
    EXPECT_THAT(faults("groups: {bulk: {strategy: weighted, upstreams: {ses: 0}}}\n" + routes),
                HasSubstr("ses: "));
    EXPECT_THAT(faults("groups: {ses: {upstreams: [office]}}\n" + routes),
                HasSubstr("groups.ses: is the name of an upstream too"));
    EXPECT_THAT(faults("groups: {bulk: {strategy: fastest, upstreams: [ses]}}\n" + routes),
                HasSubstr("failover"));
}

TEST_F(ConfigRoutes, RoutesMatchValuesAndLists) {
    const Config config = loaded(
        "routes:\n"
        "  - {priority: 1, via: office}\n"
        "  - {sender_domain: Brands.Example, recipient_domain: [gmail.com, .GoogleMail.com], "
        "via: ses}\n"
        "  - {account: [shop, crm], header: [\"X-Stream: bulk\", List-Id], via: mailgun}\n"
        "  - {via: office}\n");
    ASSERT_EQ(config.routes.size(), 4U);
    EXPECT_THAT(config.routes[0].priorities, ElementsAre(1));
    EXPECT_THAT(config.routes[1].sender_domains, ElementsAre("brands.example"));
    EXPECT_THAT(config.routes[1].recipient_domains, ElementsAre("gmail.com", ".googlemail.com"));
    EXPECT_THAT(config.routes[2].accounts, ElementsAre("shop", "crm"));
    EXPECT_THAT(config.routes[2].headers,
                ElementsAre(HeaderMatch{"X-Stream", "bulk"}, HeaderMatch{"List-Id", {}}));
    EXPECT_TRUE(config.routes[3].takes_everything());
    EXPECT_EQ(config.accounts.at("shop").route, "office");
    EXPECT_THAT(config.accounts.at("crm").route, IsEmpty());
}

TEST_F(ConfigRoutes, FaultsOfRoutes) {
    EXPECT_THAT(faults("routes: [{via: offise}]\n"),
                HasSubstr("routes[0].via: there is no upstream \"offise\"; did you mean "
                          "\"office\"?"));
    EXPECT_THAT(faults("groups: {bulk: {upstreams: [ses]}}\nroutes: [{via: bulkk}]\n"),
                HasSubstr("there is no upstream or group \"bulkk\"; did you mean \"bulk\"?"));
    EXPECT_THAT(faults("routes: [{priority: 1}, {via: office}]\n"),
                HasSubstr("routes[0].via: is missing"));
    EXPECT_THAT(faults("routes: [{account: shopp, via: ses}, {via: office}]\n"),
                HasSubstr("there is no account \"shopp\"; did you mean shop?"));
    EXPECT_THAT(faults("routes: [{sender_domain: a b, via: ses}, {via: office}]\n"),
                HasSubstr("routes[0].sender_domain: \"a b\" is not a domain"));
    EXPECT_THAT(faults("routes: [{header: \": x\", via: ses}, {via: office}]\n"),
                HasSubstr("is not a header field"));
    EXPECT_THAT(faults("routes: [{priority: 6, via: ses}, {via: office}]\n"),
                HasSubstr("routes[0].priority: "));
    EXPECT_THAT(faults("routes: {via: office}\n"), HasSubstr("routes: must be a list of routes"));
    EXPECT_THAT(faults("routes: [{via: office}, {priority: 1, via: ses}]\n"),
                AllOf(HasSubstr("routes[0]: takes everything, so those after it are never used"),
                      Not(HasSubstr("without a way"))));
}

TEST_F(ConfigRoutes, NobodysMailIsLeftWithoutAWay) {
    EXPECT_THAT(faults("routes: [{priority: 1, via: ses}]\n"),
                HasSubstr("routes: leave mail of crm without a way; end them with a route that "
                          "takes everything: {via: UPSTREAM}"));
    EXPECT_THAT(faults(""), HasSubstr("accounts.crm.route: is missing; there are several "
                                      "upstreams, so name one or write routes"));
    EXPECT_EQ(errors(base(", route: ses") + "routes: [{priority: 1, via: ses}]\n"), "");
}

TEST_F(ConfigRoutes, ViaAndRouteTakeGroups) {
    const std::string groups = "groups: {bulk: {upstreams: [ses]}}\ndsn: {via: bulk}\n";
    const auto config = load_text(base(", route: bulk") + groups);
    ASSERT_TRUE(config) << config.error().front().text();
    EXPECT_EQ(config->accounts.at("crm").route, "bulk");
    EXPECT_EQ(config->dsn.via, "bulk");
}

TEST_F(ConfigRoutes, AnUpstreamCanBeInactive) {
    EXPECT_TRUE(loaded("routes: [{via: office}]\n").upstreams.at("ses").active);
    const auto text = base(", route: ses");
    const auto config = load_text(
        std::string(text).replace(text.find("directory: b"), 12, "directory: b, active: false"));
    ASSERT_TRUE(config);
    EXPECT_FALSE(config->upstreams.at("ses").active);
}

}  // namespace
}  // namespace outpost::config

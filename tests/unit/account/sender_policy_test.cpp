#include "account/sender_policy.hpp"

#include <gtest/gtest.h>

#include "accounts.hpp"

namespace outpost::account {
namespace {

using message::FieldKind;
using message::PolicyField;
using message::PolicyHeader;

Account sender(std::vector<std::string> domains, std::vector<std::string> senders = {}) {
    Account account;
    account.name = "newsletter";
    account.authorized = AuthorizedSenders(domains, senders);
    return account;
}

std::string shown(const Verdict& verdict) {
    const auto* refuse = std::get_if<Refuse>(&verdict);
    return refuse == nullptr ? "ok" : refuse->reply.text();
}

std::string envelope(const Account& account, std::string_view path) {
    return shown(check_envelope(account, path)).substr(0, 9);
}

PolicyField field(FieldKind kind, std::string name, std::vector<smtp::Mailbox> mailboxes,
                  std::string error = {}) {
    return {kind, std::move(name), std::move(mailboxes), std::move(error)};
}

PolicyField from(std::vector<smtp::Mailbox> mailboxes) {
    return field(FieldKind::from, "From", std::move(mailboxes));
}

PolicyHeader header(std::vector<PolicyField> fields) {
    PolicyHeader result;
    for (const PolicyField& f : fields) {
        result.from_count += f.kind == FieldKind::from ? 1 : 0;
        result.sender_count += f.kind == FieldKind::sender ? 1 : 0;
        result.reply_to_count += f.kind == FieldKind::reply_to ? 1 : 0;
    }
    result.fields = std::move(fields);
    return result;
}

TEST(SenderPolicy, MatchesDomainsAndAddresses) {
    const Account account =
        sender({"exact.example", ".tree.example",
                "b\xC3\xBC"
                "cher.example",
                "xn--mnchen-3ya.example"},
               {"Info@only.example", "\"odd local\"@only.example", "x@[192.0.2.1]",
                "kontakt@m\xC3\xBC"
                "ller.example"});
    struct Case {
        std::string_view path;
        bool permitted;
    };
    const Case cases[] = {
        {"", true},
        {"a@exact.example", true},
        {"A@EXACT.Example", true},
        {"a@sub.exact.example", false},
        {"a@notexact.example", false},
        {"a@exact.example.org", false},
        {"a@tree.example", true},
        {"a@sub.tree.example", true},
        {"a@deep.sub.TREE.example", true},
        {"a@nottree.example", false},
        {"a@example", false},
        {"info@only.example", true},
        {"INFO@Only.Example", true},
        {"info@sub.only.example", false},
        {"other@only.example", false},
        {"\"odd local\"@only.example", true},
        {"\"info\"@only.example", true},
        {"a@b\xC3\xBC"
         "cher.example",
         true},
        {"a@B\xC3\x9C"
         "CHER.example",
         true},
        {"a@xn--bcher-kva.example", true},
        {"a@XN--BCHER-KVA.EXAMPLE", true},
        {"a@m\xC3\xBCnchen.example", true},
        {"a@bu\xCC\x88"
         "cher.example",
         true},
        {"kontakt@xn--mller-kva.example", true},
        {"x@[192.0.2.1]", true},
        {"x@[192.0.2.2]", false},
        {"not an address", false},
        {"@exact.example", false},
        {"a@exact.example@evil.example", false},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(envelope(account, c.path), c.permitted ? "ok" : "550 5.7.1") << c.path;
    }
}

TEST(SenderPolicy, AnAccountWithoutListsSendsReportsOnly) {
    EXPECT_EQ(envelope(sender({}), ""), "ok");
    EXPECT_EQ(envelope(sender({}), "a@b.example"), "550 5.7.1");
}

TEST(SenderPolicy, NamesAddressAndPlace) {
    const Account account = sender({"good.example"});
    EXPECT_EQ(shown(check_envelope(account, "a@evil.example")),
              "550 5.7.1 Sender a@evil.example in envelope sender is not authorized for account "
              "newsletter; use an address or domain that the account may send from");
    EXPECT_EQ(shown(check_header(account, header({from({{"a", "evil.example"}})}))),
              "550 5.7.1 Sender a@evil.example in header field From is not authorized for account "
              "newsletter; use an address or domain that the account may send from");
}

TEST(SenderPolicy, ChecksEveryIdentityOfTheHeader) {
    const Account account = sender({"good.example"});
    const smtp::Mailbox good{"a", "good.example"};
    const smtp::Mailbox evil{"a", "evil.example"};
    struct Case {
        const char* name;
        PolicyHeader header;
        std::string_view expected;
    };
    PolicyHeader broken = header({from({good})});
    broken.problem = "a line without a colon";
    const Case cases[] = {
        {"good", header({from({good})}), "ok"},
        {"several good", header({from({good, good})}), "ok"},
        {"second address", header({from({good, evil})}), "550 5.7.1"},
        {"no From", header({}), "550 5.6.0"},
        {"empty From", header({from({})}), "550 5.6.0"},
        {"two From", header({from({good}), from({good})}), "550 5.7.1"},
        {"unparsable From", header({field(FieldKind::from, "From", {}, "two @")}), "550 5.6.0"},
        {"Sender", header({from({good}), field(FieldKind::sender, "Sender", {evil})}), "550 5.7.1"},
        {"two Senders",
         header({from({good}), field(FieldKind::sender, "Sender", {good}),
                 field(FieldKind::sender, "Sender", {good})}),
         "550 5.7.1"},
        {"Resent-From",
         header({from({good}), field(FieldKind::resent_from, "Resent-From", {evil})}), "550 5.7.1"},
        {"Resent-Sender",
         header({from({good}), field(FieldKind::resent_sender, "Resent-Sender", {evil})}),
         "550 5.7.1"},
        {"foreign Reply-To", header({from({good}), field(FieldKind::reply_to, "Reply-To", {evil})}),
         "ok"},
        {"bad Reply-To", header({from({good}), field(FieldKind::reply_to, "Reply-To", {}, "no @")}),
         "550 5.6.0"},
        {"empty Reply-To", header({from({good}), field(FieldKind::reply_to, "Reply-To", {})}),
         "550 5.6.0"},
        {"broken header", broken, "550 5.6.0"},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(shown(check_header(account, c.header)).substr(0, 9), c.expected) << c.name;
    }
}

TEST(SenderPolicy, SaysWhatDoesNotParse) {
    EXPECT_EQ(
        shown(check_header(sender({"good.example"}),
                           header({from({{"a", "good.example"}}),
                                   field(FieldKind::reply_to, "Reply-To", {}, "no @ in it")}))),
        "550 5.6.0 Header field Reply-To is not valid: no @ in it");
}

TEST(SenderPolicy, RepliesAreOneLineWhateverTheAddress) {
    const auto text =
        shown(check_envelope(sender({}), "\"a\\\r\\\n\"@" + std::string(60, 'y') + "." +
                                             std::string(60, 'z') + ".example"));
    EXPECT_EQ(text.find('\r'), std::string::npos);
    EXPECT_EQ(text.find('\n'), std::string::npos);
    EXPECT_LT(text.size(), 500U);
}

}  // namespace
}  // namespace outpost::account

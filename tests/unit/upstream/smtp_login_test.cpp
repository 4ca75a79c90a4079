#include <gtest/gtest.h>

#include "base/base64.hpp"
#include "upstream/smtp_fixture.hpp"

namespace outpost::upstream {
namespace {

using test::Script;
using test::SmtpTest;

const Script one_mail{"C: MAIL FROM:<a@test>",
                      "C: RCPT TO:<r0@test>",
                      "C: DATA",
                      "S: 250 ok",
                      "S: 250 ok",
                      "S: 354 go",
                      "BODY",
                      "S: 250 ok"};
const Script quit{"C: QUIT", "S: 221 bye"};

/// A challenge and response in the manner of SCRAM where offered, else PLAIN where allowed.
class FakeSasl final : public smtp::SaslClient {
  public:
    FakeSasl(std::string user, std::string password, bool encrypted)
        : user_(std::move(user)), password_(std::move(password)), encrypted_(encrypted) {}
    std::expected<Start, std::string> start(const std::vector<std::string>& offered) override {
        for (const auto& each : offered)
            if (each == "SCRAM-SHA-256") return Start{each, "n,," + user_};
        for (const auto& each : offered)
            if (each == "PLAIN" && encrypted_)
                return Start{"PLAIN", '\0' + user_ + '\0' + password_};
        return std::unexpected("no mechanism fits");
    }
    std::expected<std::string, std::string> step(std::string_view challenge) override {
        if (challenge == "server-first") return "client-final";
        if (challenge == "server-final") return "";
        return std::unexpected("wrong server signature");
    }

  private:
    std::string user_;
    std::string password_;
    bool encrypted_;
};

std::unique_ptr<smtp::SaslClient> make_sasl(const std::string& user, const base::Secret& password,
                                            const std::string&, bool encrypted) {
    return std::make_unique<FakeSasl>(user, std::string(password.reveal()), encrypted);
}

class LoginTest : public SmtpTest {
  protected:
    void with_password() {
        smtp_.username = "me";
        smtp_.password = base::Secret("secret");
        sasl_ = make_sasl;
    }
    void with_starttls(config::Verify::Mode verify) {
        smtp_.encryption = config::Encryption::starttls;
        smtp_.verify.mode = verify;
        smtp_.verify.sha256 = certificate_.sha256;
    }
    static Script to_tls(const Script& after) {
        return joined(session({"STARTTLS", "PIPELINING"}, {"C: STARTTLS", "S: 220 go", "TLS"}),
                      after);
    }
    static Script hello(const std::vector<std::string>& extensions, const Script& rest) {
        auto script = session(extensions, rest);
        script.erase(script.begin());
        return script;
    }
};

const std::vector<std::string> with_plain{"PIPELINING", "8BITMIME", "AUTH PLAIN"};
const std::vector<std::string> with_scram{"PIPELINING", "8BITMIME", "AUTH SCRAM-SHA-256 PLAIN"};

TEST_F(LoginTest, SignsInWithPlainOverStarttlsWithAPinnedCertificate) {
    with_password();
    with_starttls(config::Verify::Mode::fingerprint);
    server_->expect(to_tls(
        hello(with_plain,
              joined({"C: AUTH PLAIN " + base::base64_encode(std::string_view("\0me\0secret", 10)),
                      "S: 235 in"},
                     one_mail))));
    EXPECT_EQ(send().outcomes[0].verdict, Verdict::delivered);
}

TEST_F(LoginTest, SignsInWithScramInTheClear) {
    with_password();
    server_->expect(session(
        with_scram, joined({"C: AUTH SCRAM-SHA-256 " + base::base64_encode("n,,me"),
                            "S: 334 " + base::base64_encode("server-first"),
                            "C: " + base::base64_encode("client-final"),
                            "S: 334 " + base::base64_encode("server-final"), "C: ", "S: 235 in"},
                           one_mail)));
    EXPECT_EQ(send().outcomes[0].verdict, Verdict::delivered);
}

TEST_F(LoginTest, SuspendsForAServerThatProvesNothing) {
    with_password();
    server_->expect(
        session(with_scram,
                joined({"C: AUTH SCRAM-SHA-256 " + base::base64_encode("n,,me"),
                        "S: 334 " + base::base64_encode("impostor"), "C: *", "S: 501 cancelled"},
                       quit)));
    const auto outcome = send().outcomes[0];
    EXPECT_EQ(outcome.verdict, Verdict::misconfigured);
    EXPECT_EQ(outcome.reply.lines.at(0), "wrong server signature");
    loop_.run(transport().close());
}

TEST_F(LoginTest, SuspendsForAWrongPassword) {
    with_password();
    server_->expect(
        session(with_scram,
                joined({"C: AUTH SCRAM-SHA-256 " + base::base64_encode("n,,me"), "S: 535 5.7.8 no"},
                       quit)));
    const auto outcome = send().outcomes[0];
    EXPECT_EQ(outcome.verdict, Verdict::misconfigured);
    EXPECT_EQ(outcome.reply.code, 535);
    loop_.run(transport().close());
}

TEST_F(LoginTest, SaysThePasswordInTheClearOnlyWhereTheOperatorWantsNoEncryption) {
    with_password();
    smtp_.encryption = config::Encryption::none;
    server_->expect(session(
        with_plain,
        joined({"C: AUTH PLAIN " + base::base64_encode(std::string_view("\0me\0secret", 10)),
                "S: 235 in"},
               one_mail)));
    EXPECT_EQ(send().outcomes[0].verdict, Verdict::delivered);
}

TEST_F(LoginTest, SuspendsWhereNoMechanismFits) {
    with_password();
    server_->expect(session({"PIPELINING", "AUTH GSSAPI"}, quit));
    EXPECT_EQ(send().outcomes[0].verdict, Verdict::misconfigured);
    loop_.run(transport().close());
}

TEST_F(LoginTest, SuspendsWithoutStarttls) {
    with_starttls(config::Verify::Mode::none);
    server_->expect(session({"PIPELINING"}, quit));
    EXPECT_EQ(send().outcomes[0].verdict, Verdict::misconfigured);
    loop_.run(transport().close());
}

TEST_F(LoginTest, SuspendsForACertificateThatNobodyVouchesFor) {
    with_starttls(config::Verify::Mode::full);
    server_->expect(to_tls({}));
    const auto outcome = send().outcomes[0];
    EXPECT_EQ(outcome.verdict, Verdict::misconfigured);
    EXPECT_NE(outcome.reply.lines.at(0).find("certificate"), std::string::npos);
}

TEST_F(LoginTest, SuspendsForAnotherCertificateThanThePinnedOne) {
    with_starttls(config::Verify::Mode::fingerprint);
    smtp_.verify.sha256 = std::string(64, '0');
    server_->expect(to_tls({"GONE"}));
    EXPECT_EQ(send().outcomes[0].verdict, Verdict::misconfigured);
}

TEST_F(LoginTest, DefersWhenTheHandshakeBreaks) {
    with_starttls(config::Verify::Mode::none);
    server_->expect(session({"STARTTLS"}, {"C: STARTTLS", "S: 220 go"}));
    const auto outcome = send().outcomes[0];
    EXPECT_EQ(outcome.verdict, Verdict::deferred);
    EXPECT_EQ(outcome.scope, Scope::upstream);
}

TEST_F(LoginTest, DropsRepliesThatWereInjectedBeforeTheHandshake) {
    with_starttls(config::Verify::Mode::none);
    auto script = session({"STARTTLS", "PIPELINING"},
                          {"C: STARTTLS", "S: 220 go", "S: 250-evil", "S: 250 8BITMIME", "TLS"});
    server_->expect(joined(script, hello({"PIPELINING", "8BITMIME"}, one_mail)));
    EXPECT_EQ(send().outcomes[0].verdict, Verdict::delivered);
}

TEST_F(LoginTest, SpeaksTlsFromTheStartOnAnImplicitPort) {
    smtp_.encryption = config::Encryption::tls;
    smtp_.verify.mode = config::Verify::Mode::none;
    server_->expect(
        joined({"TLS"}, session({"PIPELINING", "8BITMIME"},
                                joined(joined(one_mail, one_mail), joined(quit, {"GONE"})))));
    EXPECT_EQ(send().outcomes[0].verdict, Verdict::delivered);
    EXPECT_TRUE(send().reused);
    loop_.run(transport().close());
}

TEST_F(LoginTest, FindsADeadTlsConnectionBeforeItCostsAMessage) {
    smtp_.encryption = config::Encryption::tls;
    smtp_.verify.mode = config::Verify::Mode::none;
    server_->expect(joined({"TLS"}, session({"PIPELINING", "8BITMIME"}, one_mail)));
    server_->expect(joined({"TLS"}, session({"PIPELINING", "8BITMIME"}, one_mail)));
    EXPECT_EQ(send().outcomes[0].verdict, Verdict::delivered);
    EXPECT_EQ(send().outcomes[0].verdict, Verdict::delivered);
    EXPECT_EQ(server_->connections(), 2U);
}

}  // namespace
}  // namespace outpost::upstream

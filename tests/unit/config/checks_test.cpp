#include <gmock/gmock.h>

#include "files.hpp"

namespace outpost::config {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Faults that need more than one value to see, and those of secrets.
class ConfigChecks : public ConfigFiles {
  protected:
    /// The errors of the least configuration with one of its five lines replaced.
    std::string with(std::size_t line, const std::string& replacement) {
        std::string text = least();
        std::size_t begin = 0;
        for (std::size_t i = 1; i < line; ++i) begin = text.find('\n', begin) + 1;
        text.replace(begin, text.find('\n', begin) - begin, replacement);
        return errors(text);
    }
    std::string listen(const std::string& value) { return with(2, "listen: " + value); }
    std::string upstreams(const std::string& value) { return with(4, "upstreams: " + value); }
    std::string account(const std::string& value) {
        return with(5, "accounts: {web: " + value + "}");
    }
};

TEST_F(ConfigChecks, Listeners) {
    EXPECT_EQ(
        listen("[{ports: [587, 500-600]}]"),
        "outpost.yaml:2:24: listen[0].ports: port 587 of \"::\" is listed twice; the first is "
        "at outpost.yaml:2:19\n");
    EXPECT_EQ(
        listen("[{address: \"::1\", ports: [5000]}, {address: \"0::1\", ports: [25-6000]}]"),
        "outpost.yaml:2:69: listen[1].ports: port 5000 of \"::1\" is listed twice; the first is "
        "at outpost.yaml:2:35\n");
    EXPECT_EQ(listen("[{address: \"::1\", ports: [25]}, {address: 127.0.0.1, ports: [25]}]"), "");
    EXPECT_EQ(
        listen("[{ports: [25], tls: none}]"),
        "outpost.yaml:2:10: listen[0].require_tls: must be false where tls is none, or no mail "
        "could ever be submitted here\n");
    EXPECT_EQ(listen("[{ports: [25], tls: none, require_tls: false}]"), "");
    EXPECT_THAT(listen("[{address: \"::\"}]"), HasSubstr("listen[0].ports: is missing"));
    EXPECT_THAT(listen("[{ports: []}]"), HasSubstr("listen[0].ports: names no port"));
    EXPECT_THAT(listen("[{ports: [[25]]}]"), HasSubstr("must be a single value, not a list"));
    EXPECT_THAT(listen("[25]"), HasSubstr("listen[0]: must be a mapping of keys"));
}

TEST_F(ConfigChecks, TrustedAccounts) {
    EXPECT_EQ(listen("[{address: 127.0.0.1, ports: [25], trusted_account: web}]"), "");
    EXPECT_THAT(listen("[{address: 127.0.0.1, ports: [25], trusted_account: weB}]"),
                HasSubstr("there is no account \"weB\"; did you mean \"web\"?"));
    EXPECT_THAT(listen("[{address: \"::\", ports: [25], trusted_account: web}]"),
                HasSubstr("is for loopback addresses only, not \"::\""));
}

TEST_F(ConfigChecks, Certificates) {
    EXPECT_THAT(with(3, "tls: {certificates: [{certificate: none.pem, key: key.pem}]}"),
                HasSubstr("outpost.yaml:3:36: tls.certificates[0].certificate: cannot read "
                          "\"none.pem\": No such file"));
    EXPECT_THAT(with(3, "tls: {certificates: [{certificate: cert.pem}]}"),
                HasSubstr("outpost.yaml:3:22: tls.certificates[0].key: is missing"));
    EXPECT_EQ(with(3, "tls: {certificates: []}"),
              "outpost.yaml:2:45: listen[0].tls: needs a certificate; set tls.certificates, or "
              "`tls: none` here\n");
    EXPECT_THAT(with(3, "tls: {certificates: cert.pem}"), HasSubstr("must be a list"));
}

TEST_F(ConfigChecks, ACertificateThatIsNoGoodIsReportedBesideTheRest) {
    write("cert.pem", "certificate");
    write("key.pem", "key");
    const auto loaded = load(
        write("outpost.yaml", least() + "lisen: 1\n"),
        [](const Certificate& pair) -> std::optional<std::string> {
            return pair.key.ends_with("/key.pem") ? std::optional("does not belong") : std::nullopt;
        });
    ASSERT_FALSE(loaded);
    ASSERT_EQ(loaded.error().size(), 2U);
    EXPECT_THAT(loaded.error()[0].text(), HasSubstr("tls.certificates[0]: does not belong"));
    EXPECT_GT(loaded.error()[0].line, 1U);
    EXPECT_THAT(loaded.error()[1].text(), HasSubstr("lisen: is not a known key"));
}

TEST_F(ConfigChecks, Upstreams) {
    EXPECT_THAT(upstreams("{out: {type: smtp}}"), HasSubstr("upstreams.out.host: is missing"));
    EXPECT_THAT(upstreams("{out: {host: a}}"), HasSubstr("upstreams.out.type: is missing"));
    EXPECT_THAT(upstreams("{out: {type: sess}}"),
                HasSubstr("\"sess\" is none of smtp, sendmail, sandbox, ses, sendgrid, "));
    EXPECT_THAT(upstreams("{out: {type: sandbox}}"), HasSubstr("out.directory: is missing"));
    EXPECT_THAT(upstreams("{out: {type: smtp, host: a, directory: b}}"),
                HasSubstr("out.directory: is not a known key"));
    EXPECT_THAT(upstreams("{out: }"), HasSubstr("upstreams.out: must be a mapping of keys"));
    EXPECT_THAT(upstreams("{out: {type: smtp, host: a, username: u}}"),
                HasSubstr("out.username: is set without a password"));
    EXPECT_THAT(upstreams("{out: {type: smtp, host: a, password: p}}"),
                HasSubstr("out.password: is set without a username"));
    EXPECT_THAT(upstreams("{out: {type: smtp, host: a, verify: ful}}"),
                HasSubstr("\"ful\" is none of full, none; did you mean full?; or write "
                          "{fingerprint: sha256:HEX}"));
    EXPECT_THAT(upstreams("{out: {type: smtp, host: a, verify: {fingerprint: sha256:12}}}"),
                HasSubstr("write sha256: and 64 hex digits"));
    EXPECT_THAT(upstreams("{out: {type: smtp, host: a, uncertain: retri}}"),
                HasSubstr("did you mean retry?"));
    EXPECT_EQ(upstreams("{out: {type: smtp, host: \"[a]:25\", encryption: none}}"), "");
}

TEST_F(ConfigChecks, OAuth2OfAnUpstream) {
    const auto oauth2 = [&](const std::string& keys, const std::string& login = "username: u") {
        return upstreams("{out: {type: smtp, host: a, " + login + ", oauth2: {" + keys + "}}}");
    };
    const std::string server = "token_url: \"https://login.example.com/token\", client_id: c";
    EXPECT_EQ(oauth2(server + ", client_secret: s, grant: client_credentials, scope: x"), "");
    EXPECT_EQ(oauth2(server + ", client_secret: s, refresh_token: r"), "");
    EXPECT_EQ(oauth2(server + ", grant: refresh_token, refresh_token: r"), "");
    EXPECT_THAT(oauth2("client_id: c, refresh_token: r"),
                HasSubstr("out.oauth2.token_url: is missing"));
    EXPECT_THAT(oauth2("token_url: \"https://a/b\", refresh_token: r"),
                HasSubstr("out.oauth2.client_id: is missing"));
    EXPECT_THAT(oauth2(server), HasSubstr("out.oauth2.grant: is missing; write"));
    EXPECT_THAT(oauth2(server + ", grant: client_credentials"),
                HasSubstr("out.oauth2.client_secret: is missing"));
    EXPECT_THAT(oauth2(server + ", grant: refresh_token"),
                HasSubstr("out.oauth2.refresh_token: is missing"));
    EXPECT_THAT(oauth2(server + ", grant: client_credentials, client_secret: s, refresh_token: r"),
                HasSubstr("out.oauth2.refresh_token: is set, but the grant is client_credentials"));
    EXPECT_THAT(oauth2(server + ", grant: password"),
                HasSubstr("\"password\" is none of client_credentials, refresh_token"));
    EXPECT_THAT(oauth2(server + ", refresh_token: r, secret: s"),
                HasSubstr("out.oauth2.secret: is not a known key"));
    EXPECT_THAT(oauth2(server + ", refresh_token: r", "encryption: tls"),
                HasSubstr("out.oauth2: is set without a username"));
    EXPECT_THAT(oauth2(server + ", refresh_token: r", "username: u, password: p"),
                HasSubstr("out.password: is set beside oauth2"));
    EXPECT_THAT(upstreams("{out: {type: smtp, host: a, username: u, oauth2: r}}"),
                HasSubstr("out.oauth2: must be a mapping of keys"));
}

TEST_F(ConfigChecks, ATokenServerIsReachedEncryptedOrOnThisMachine) {
    const auto url = [&](const std::string& value) {
        return upstreams(
            "{out: {type: smtp, host: a, username: u, oauth2: {client_id: c, "
            "refresh_token: r, token_url: \"" +
            value + "\"}}}");
    };
    for (const char* good : {"https://login.example.com/token", "https://a:8443/t?x=1",
                             "http://127.0.0.1:8080/token", "http://[::1]/t", "http://localhost"})
        EXPECT_EQ(url(good), "") << good;
    for (const char* bad : {"http://login.example.com/token", "login.example.com/token", "https://",
                            "https:///token", "ftp://127.0.0.1/", "http://127.0.0.1.evil/",
                            "http://localhost.evil.com/", "https://a/b c", "https://a/#b"})
        EXPECT_THAT(url(bad), HasSubstr("write where tokens are given, https://HOST/PATH")) << bad;
    EXPECT_THAT(url("https://user:MARK@a/"), HasSubstr("oauth2.token_url: holds a username"));
    EXPECT_THAT(url("https://user:MARK@a/"), Not(HasSubstr("MARK")));
}

TEST_F(ConfigChecks, ASendmailCommandCanBeRun) {
    const auto sendmail = [&](const std::string& command) {
        return upstreams("{out: {type: sendmail, command: " + command + "}}");
    };
    EXPECT_EQ(sendmail("/bin/sh"), "");
    EXPECT_THAT(upstreams("{out: {type: sendmail}}"),
                HasSubstr("upstreams.out.command: is missing; write a path such as"));
    EXPECT_EQ(sendmail("/none/sendmail"),
              "outpost.yaml:4:44: upstreams.out.command: cannot run \"/none/sendmail\": No such "
              "file or directory\n");
    EXPECT_THAT(sendmail("/etc/passwd"), HasSubstr("\"/etc/passwd\": Permission denied"));
    EXPECT_THAT(sendmail("/etc"), HasSubstr("\"/etc\" is not a file"));
    EXPECT_THAT(sendmail("sendmail"), HasSubstr("\"sendmail\" is not an absolute path"));
    EXPECT_THAT(sendmail("/bin/sh -t"), HasSubstr("cannot run \"/bin/sh -t\""));
}

TEST_F(ConfigChecks, DefaultPortsFollowTheEncryption) {
    struct Case {
        const char* encryption;
        std::uint16_t port;
    };
    for (const Case& c : {Case{"none", 25}, Case{"starttls", 25}, Case{"tls", 465}}) {
        std::string text = least();
        const std::string from = "type: sandbox, directory: box";
        text.replace(text.find(from), from.size(),
                     std::string("type: smtp, host: a.example, encryption: ") + c.encryption);
        const auto config = load_text(text);
        ASSERT_TRUE(config) << config.error().front().text();
        EXPECT_EQ(std::get<SmtpUpstream>(config->upstreams.at("out").kind).port, c.port);
    }
}

TEST_F(ConfigChecks, Accounts) {
    EXPECT_THAT(account("{}"), HasSubstr("accounts.web.password_hash: is missing"));
    EXPECT_THAT(account("{password: a, password_hash: " + std::string(valid_hash) + "}"),
                HasSubstr("accounts.web.password: is set beside password_hash"));
    EXPECT_THAT(account("{password: a, route: nowhere}"),
                HasSubstr("accounts.web.route: there is no upstream \"nowhere\"; there is out"));
    EXPECT_THAT(account("{password: a, authorized_domains: [\"*.a.com\"]}"),
                HasSubstr("write \".a.com\" for a domain and all below it"));
    EXPECT_THAT(account("{password: a, authorized_domains: a.com;b..com}"),
                HasSubstr("\"b..com\" is not a domain"));
    EXPECT_THAT(account("{password: a, authorized_domains: [x@a.com]}"),
                HasSubstr("belongs in authorized_senders"));
    EXPECT_THAT(account("{password: a, authorized_senders: [a.com]}"),
                HasSubstr("\"a.com\" is not an address"));
    EXPECT_THAT(account("{password: a, allowed_networks: [192.0.2.1/24]}"),
                HasSubstr("\"192.0.2.1/24\" is not a network"));
    EXPECT_THAT(account("{password: a, priority_cap: 0}"), HasSubstr("from 1 to 5"));
    EXPECT_THAT(account("{password: a, active: \"true\"}"), HasSubstr("is not a truth value"));
    EXPECT_THAT(with(5, "accounts: {\" web\": {password: a}}"), HasSubstr("begins or ends with"));
    EXPECT_EQ(account("{password: a, authorized_domains: [b\xC3\xBC"
                      "cher.example]}"),
              "");
}

TEST_F(ConfigChecks, ARouteIsNeededWhereUpstreamsAreSeveral) {
    EXPECT_THAT(upstreams("{a: {type: sandbox, directory: d}, b: {type: sandbox, directory: e}}"),
                HasSubstr("outpost.yaml:5:17: accounts.web.route: is missing; there are several"));
}

TEST_F(ConfigChecks, Relations) {
    EXPECT_THAT(errors(least() + "spool: {segment_size: 1MB, large_message: 2MB}\n"),
                HasSubstr("spool.large_message: is over spool.segment_size"));
    EXPECT_THAT(errors(least() + "retry: {first: 1h, max: 1m}\n"),
                HasSubstr("retry.max: is shorter than retry.first"));
    EXPECT_THAT(errors(least() + "dsn: {via: on}\n"), HasSubstr("there is no upstream \"on\""));
    EXPECT_THAT(errors(least() + "dsn: {to: senders}\n"),
                HasSubstr("is none of sender, none or an address"));
    EXPECT_THAT(errors(least() + "dsn: {from: Nobody}\n"), HasSubstr("is not a mailbox"));
}

TEST_F(ConfigChecks, SecretsComeFromFilesAndTheEnvironment) {
    write("secret", "from file\n");
    ::setenv("OUTPOST_TEST_SECRET", "from env", 1);
    ::setenv("CREDENTIALS_DIRECTORY", directory_.c_str(), 1);
    const auto secret = [this](const std::string& value) {
        std::string text = least();
        text.replace(text.find("password: secret"), 16, "password: " + value);
        const auto config = load_text(text);
        return config ? std::string(config->accounts.at("web").password.reveal())
                      : config.error().front().text();
    };
    EXPECT_EQ(secret("{file: secret}"), "from file");
    EXPECT_EQ(secret("{file: " + path("secret") + "}"), "from file");
    EXPECT_EQ(secret("{credential: secret}"), "from file");
    EXPECT_EQ(secret("{env: OUTPOST_TEST_SECRET}"), "from env");
    EXPECT_EQ(secret("\"*quoted: secret\""), "*quoted: secret");
    EXPECT_THAT(secret("{file: nowhere}"),
                HasSubstr("file \"nowhere\": cannot read: No such file"));
    EXPECT_THAT(secret("{file: .}"), HasSubstr("is a directory"));
    EXPECT_THAT(secret("{env: OUTPOST_TEST_UNSET}"),
                HasSubstr("env \"OUTPOST_TEST_UNSET\": is not set"));
    EXPECT_THAT(secret("{credential: ../secret}"), HasSubstr("a credential's name has no /"));
    ::unsetenv("CREDENTIALS_DIRECTORY");
    EXPECT_THAT(secret("{credential: secret}"), HasSubstr("CREDENTIALS_DIRECTORY is not set"));
    write("secret", "");
    EXPECT_THAT(secret("{file: secret}"), HasSubstr("is empty"));
    write("secret", "two\nlines\n");
    EXPECT_THAT(secret("{file: secret}"), HasSubstr("has a line break"));
}

TEST_F(ConfigChecks, NoFaultShowsASecret) {
    const std::string long_secret = "MARK" + std::string(5000, 'x');
    write("mark", "MARK\nMARK\n");
    write("long", long_secret);
    ::setenv("OUTPOST_TEST_SECRET", "MARK\tMARK", 1);
    for (const std::string& value : {std::string("*MARK"),
                                     std::string("&MARK"),
                                     std::string("!MARK x"),
                                     std::string("@MARK"),
                                     std::string("%MARK"),
                                     std::string("{MARK}"),
                                     std::string("{MARK: MARK}"),
                                     std::string("{file: [MARK]}"),
                                     std::string("[MARK]"),
                                     std::string("a: MARK"),
                                     std::string("\"\\MARK\""),
                                     std::string("\"MARK"),
                                     std::string("'MARK"),
                                     std::string("\"MARK\\n\""),
                                     std::string("{file: mark}"),
                                     std::string("{file: long}"),
                                     std::string("{env: OUTPOST_TEST_SECRET}"),
                                     std::string("| MARK"),
                                     std::string("`MARK"),
                                     long_secret,
                                     std::string("{filee: MARK}"),
                                     std::string("{file: a, MARK: b}")}) {
        for (const char* key : {"password", "password_hash"}) {
            const std::string block = "accounts:\n  web:\n    " + std::string(key) + ": ";
            const std::string found = with(5, block + value);
            EXPECT_FALSE(found.empty() && std::string_view(key) == "password_hash") << value;
            EXPECT_THAT(found, Not(HasSubstr("MARK"))) << value;
        }
        EXPECT_THAT(upstreams("{out: {type: smtp, host: a, username: u, password: " + value + "}}"),
                    Not(HasSubstr("MARK")))
            << value;
    }
    EXPECT_THAT(with(5, "accounts: {web: MARK}"), Not(HasSubstr("MARK")));
    EXPECT_THAT(with(5, "accounts: [MARK]"), Not(HasSubstr("MARK")));
}

}  // namespace
}  // namespace outpost::config

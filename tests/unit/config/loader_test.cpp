#include "config/loader.hpp"

#include <gmock/gmock.h>

#include "files.hpp"

namespace outpost::config {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class Loader : public ConfigFiles {};

TEST_F(Loader, FillsInDefaults) {
    const auto config = load_text(least());
    ASSERT_TRUE(config) << config.error().front().text();
    EXPECT_EQ(config->file, path("outpost.yaml"));
    EXPECT_EQ(config->data_dir, "/var/lib/outpost");
    EXPECT_EQ(config->submission.max_message_size, 25U << 20);
    EXPECT_EQ(config->dsn.from, "Mail Delivery System <mailer-daemon@relay.example.com>");
    EXPECT_EQ(config->accounts.at("web").route, "out");
    EXPECT_EQ(config->accounts.at("web").password.reveal(), "secret");
    EXPECT_EQ(config->tls.certificates.front().key, path("key.pem"));
    EXPECT_EQ(std::get<SandboxUpstream>(config->upstreams.at("out").kind).directory, path("box"));
    EXPECT_TRUE(config->listen.front().require_tls);
}

TEST_F(Loader, ReadsEveryKey) {
    std::string fingerprint = "SHA256:AB";
    std::string digest = "ab";
    for (int i = 0; i < 31; ++i) {
        fingerprint += ":cd";
        digest += "cd";
    }
    const auto config = load_text(
        "hostname: Relay.Example.com\n"
        "data_dir: /tmp/data\n"
        "listen:\n"
        "  - {address: \"::\", ports: [25, 587, 1025-5000], tls: starttls}\n"
        "  - {address: \"::\", ports: 465, tls: implicit}\n"
        "  - address: 127.0.0.1\n"
        "    ports: [10025]\n"
        "    tls: none\n"
        "    require_tls: false\n"
        "    proxy_protocol: true\n"
        "    trusted_account: newsletter\n"
        "tls:\n"
        "  certificates: [{certificate: cert.pem, key: key.pem}]\n"
        "  min_version: \"1.3\"\n"
        "submission:\n"
        "  max_message_size: 10MB\n"
        "  max_recipients: 7\n"
        "  max_connections: 8\n"
        "  max_connections_per_ip: 9\n"
        "  idle_timeout: 10s\n"
        "  data_timeout: 11s\n"
        "  bare_newlines: normalize\n"
        "  auth_failures: {per_address: 1/2h, per_account: 3/4d}\n"
        "spool: {segment_size: 1MB, large_message: 64KB, min_free: 0MB, max_age: 1d, "
        "delay_notice: 0}\n"
        "retry: {first: 1s, factor: 1, max: 2s, jitter: 0}\n"
        "history: {keep: 7d, max_size: 10MB}\n"
        "dsn: {to: ops@example.com, from: \"Mail <m@example.com>\", via: office}\n"
        "accounts:\n"
        "  newsletter:\n"
        "    password_hash: \"" +
        std::string(valid_hash) +
        "\"\n"
        "    active: false\n"
        "    note: Campaign tool, marketing\n"
        "    priority: 2\n"
        "    priority_cap: 5\n"
        "    provider_headers: true\n"
        "    authorized_domains: [YourCompany.com, .brands.yourcompany.com]\n"
        "    authorized_senders: info@other.com; sales@other.com\n"
        "    allowed_networks: [192.0.2.0/24]\n"
        "    max_message_size: 1MB\n"
        "    max_recipients: 5\n"
        "    route: box\n"
        "  web: {password: s, authorized_domains: a.com;b.com, route: office}\n"
        "upstreams:\n"
        "  office:\n"
        "    type: smtp\n"
        "    host: \"[smtp.example.net]:587\"\n"
        "    encryption: starttls\n"
        "    verify: {fingerprint: \"" +
        fingerprint +
        "\"}\n"
        "    username: relay@example.net\n"
        "    password: upstream-password\n"
        "    concurrency: 3\n"
        "    messages_per_connection: 4\n"
        "    uncertain: report\n"
        "    description: The company's own server\n"
        "  box: {type: sandbox, directory: /tmp/box}\n"
        "log: {level: debug, format: json}\n");
    ASSERT_TRUE(config) << config.error().front().text();
    EXPECT_EQ(config->hostname, "relay.example.com");
    EXPECT_EQ(config->data_dir, "/tmp/data");
    ASSERT_EQ(config->listen.size(), 3U);
    EXPECT_EQ(config->listen[0].ports,
              (std::vector<PortRange>{{25, 25}, {587, 587}, {1025, 5000}}));
    EXPECT_EQ(config->listen[1].tls, ListenerTls::implicit);
    EXPECT_EQ(config->listen[1].ports, (std::vector<PortRange>{{465, 465}}));
    EXPECT_EQ(config->listen[2].tls, ListenerTls::none);
    EXPECT_FALSE(config->listen[2].require_tls);
    EXPECT_TRUE(config->listen[2].proxy_protocol);
    EXPECT_EQ(config->listen[2].trusted_account, "newsletter");
    EXPECT_EQ(config->tls.min_version, TlsVersion::tls13);

    const Submission& submission = config->submission;
    EXPECT_EQ(submission.max_message_size, 10U << 20);
    EXPECT_EQ(submission.max_recipients, 7U);
    EXPECT_EQ(submission.max_connections, 8U);
    EXPECT_EQ(submission.max_connections_per_ip, 9U);
    EXPECT_EQ(submission.idle_timeout, 10s);
    EXPECT_EQ(submission.data_timeout, 11s);
    EXPECT_EQ(submission.bare_newlines, BareNewlines::normalize);
    EXPECT_EQ(submission.auth_failures_per_address, (CountPerPeriod{1, 2h}));
    EXPECT_EQ(submission.auth_failures_per_account, (CountPerPeriod{3, 96h}));

    EXPECT_EQ(config->spool.segment_size, 1U << 20);
    EXPECT_EQ(config->spool.large_message, 64U << 10);
    EXPECT_EQ(config->spool.min_free, 0U);
    EXPECT_EQ(config->spool.max_age, 24h);
    EXPECT_EQ(config->spool.delay_notice, 0ms);
    EXPECT_EQ(config->retry.first, 1s);
    EXPECT_EQ(config->retry.factor, 1);
    EXPECT_EQ(config->retry.max, 2s);
    EXPECT_EQ(config->retry.jitter, 0);
    EXPECT_EQ(config->history, (History{.keep = std::chrono::days(7), .max_size = 10 << 20}));
    EXPECT_EQ(config->dsn.to, Dsn::To::address);
    EXPECT_EQ(config->dsn.to_address, "ops@example.com");
    EXPECT_EQ(config->dsn.from, "Mail <m@example.com>");
    EXPECT_EQ(config->dsn.via, "office");

    const Account& account = config->accounts.at("newsletter");
    EXPECT_EQ(account.password_hash, valid_hash);
    EXPECT_FALSE(account.active);
    EXPECT_EQ(account.note, "Campaign tool, marketing");
    EXPECT_EQ(account.priority, 2);
    EXPECT_EQ(account.priority_cap, 5);
    EXPECT_TRUE(account.provider_headers);
    EXPECT_EQ(account.authorized_domains,
              (std::vector<std::string>{"yourcompany.com", ".brands.yourcompany.com"}));
    EXPECT_EQ(account.authorized_senders,
              (std::vector<std::string>{"info@other.com", "sales@other.com"}));
    EXPECT_EQ(account.allowed_networks, (std::vector<std::string>{"192.0.2.0/24"}));
    EXPECT_EQ(account.max_message_size, 1U << 20);
    EXPECT_EQ(account.max_recipients, 5U);
    EXPECT_EQ(account.route, "box");
    EXPECT_EQ(config->accounts.at("web").authorized_domains,
              (std::vector<std::string>{"a.com", "b.com"}));

    const Upstream& office = config->upstreams.at("office");
    const auto& smtp = std::get<SmtpUpstream>(office.kind);
    EXPECT_EQ(office.description, "The company's own server");
    EXPECT_EQ(office.concurrency, 3U);
    EXPECT_EQ(smtp.host, "smtp.example.net");
    EXPECT_TRUE(smtp.bracketed);
    EXPECT_EQ(smtp.port, 587);
    EXPECT_EQ(smtp.encryption, Encryption::starttls);
    EXPECT_EQ(smtp.verify.mode, Verify::Mode::fingerprint);
    EXPECT_EQ(smtp.verify.sha256, digest);
    EXPECT_EQ(smtp.username, "relay@example.net");
    EXPECT_EQ(smtp.password.reveal(), "upstream-password");
    EXPECT_EQ(smtp.messages_per_connection, 4U);
    EXPECT_EQ(smtp.uncertain, Uncertain::report);
    EXPECT_EQ(std::get<SandboxUpstream>(config->upstreams.at("box").kind).directory, "/tmp/box");
    EXPECT_EQ(config->log.level, base::log::Level::debug);
    EXPECT_EQ(config->log.format, base::log::Format::json);
}

TEST_F(Loader, ReportsEveryFaultInOrder) {
    EXPECT_EQ(
        errors("hostname: relay.example.com\n"
               "hostnam: x\n"
               "listen:\n"
               "  - {address: all, ports: [587, 70000], tls: startls}\n"
               "upstreams: {out: {type: sandbox, directory: box, pace: 5/s}}\n"
               "accounts:\n"
               "  web:\n"
               "    password: secret\n"
               "    priority: 9\n"
               "    active: yes\n"
               "webhooks: {}\n"
               "submission: [1]\n"
               "spool:\n"),
        "outpost.yaml:2:1: hostnam: is not a known key; did you mean hostname?\n"
        "outpost.yaml:4:15: listen[0].address: \"all\" is not an IP address; write one such as "
        "\"::\" (IPv4 too), 0.0.0.0 or 127.0.0.1\n"
        "outpost.yaml:4:33: listen[0].ports: \"70000\" is not a port range; ports go from 1 to "
        "65535, the lower one first\n"
        "outpost.yaml:4:46: listen[0].tls: \"startls\" is none of starttls, implicit, none; did "
        "you mean starttls?\n"
        "outpost.yaml:4:46: listen[0].tls: needs a certificate; set tls.certificates, or `tls: "
        "none` here\n"
        "outpost.yaml:5:50: upstreams.out.pace: is not a known key; did you mean rate?\n"
        "outpost.yaml:9:15: accounts.web.priority: \"9\" is not a whole number from 1 to 5\n"
        "outpost.yaml:10:13: accounts.web.active: \"yes\" is not a truth value; write true or "
        "false\n"
        "outpost.yaml:11:1: webhooks: is not a known key; known here: include, hostname, "
        "data_dir, log, history, control, tls, submission, spool, retry, upstreams, groups, dsn, "
        "limits, "
        "accounts, routes, listen\n"
        "outpost.yaml:12:13: submission: must be a mapping of keys, not a list\n"
        "outpost.yaml:13:1: spool: has no value; give it one or remove the line\n");
}

TEST_F(Loader, SaysWhatIsMissing) {
    EXPECT_EQ(
        errors("hostname: a.example\n"),
        "outpost.yaml:1:1: upstreams: is missing; name at least one\n"
        "outpost.yaml:1:1: listen: is missing; write a list such as [{address: \"::\", ports: "
        "[587], tls: starttls}]\n");
    EXPECT_EQ(
        errors("hostname: a.example\nlisten: []\nupstreams: {}\naccounts: {}\n"),
        "outpost.yaml:2:9: listen: names no listener; write a list such as [{address: \"::\", "
        "ports: [587], tls: starttls}]\n"
        "outpost.yaml:3:12: upstreams: names no upstream; name at least one\n");
}

TEST_F(Loader, ListsNoMoreThanFiftyFaults) {
    std::string text = least();
    for (int i = 0; i < 60; ++i) text += "unknown" + std::to_string(i) + ": 1\n";
    const auto config = load_text(text);
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().size(), 51U);
    EXPECT_EQ(config.error().back().message, "10 more errors follow");
}

TEST_F(Loader, ReportsAFileThatCannotBeRead) {
    const auto config = load(path("nowhere.yaml"));
    ASSERT_FALSE(config);
    EXPECT_THAT(config.error().front().text(), HasSubstr("nowhere.yaml:1:1: cannot read"));
    EXPECT_THAT(load(directory_).error().front().text(), HasSubstr("is a directory"));
}

TEST_F(Loader, MergesIncludedFiles) {
    write("conf.d/b.yaml", "accounts: {web: {note: from b}}\n");
    write("conf.d/a.yaml", "accounts: {shop: {password: s}}\nlog: {level: debug}\n");
    const auto config = load_text(least() + "include: [conf.d/*.yaml, none/*.yaml]\n");
    ASSERT_TRUE(config) << config.error().front().text();
    EXPECT_EQ(config->accounts.size(), 2U);
    EXPECT_EQ(config->accounts.at("web").note, "from b");
    EXPECT_EQ(config->log.level, base::log::Level::debug);
}

TEST_F(Loader, ReportsFaultsOfIncludedFilesAtTheirPlace) {
    write("conf.d/a.yaml", "hostname: other.example\naccounts: {web: {priority: 7}}\ninclude: x\n");
    EXPECT_EQ(errors(least() + "include: conf.d/*.yaml\n"),
              "conf.d/a.yaml:1:1: hostname: is set twice; the first is at outpost.yaml:1:1\n"
              "conf.d/a.yaml:2:28: accounts.web.priority: \"7\" is not a whole number from 1 to 5\n"
              "conf.d/a.yaml:3:1: include: only the main file may include others\n");
    EXPECT_EQ(errors(least() + "include: [missing.yaml]\n"),
              "outpost.yaml:6:11: include: there is no file \"missing.yaml\"\n");
}

TEST_F(Loader, TheSampleLoads) {
    std::ifstream in(std::string(OUTPOST_SOURCE_DIR) + "/conf/outpost.yaml");
    std::string text{std::istreambuf_iterator<char>(in), {}};
    const auto put = [&text](const std::string& from, const std::string& to) {
        ASSERT_NE(text.find(from), std::string::npos) << from;
        text.replace(text.find(from), from.size(), to);
    };
    put("/etc/outpost/tls/fullchain.pem", "cert.pem");
    put("/etc/outpost/tls/privkey.pem", "key.pem");
    const auto config = load_text(text);
    ASSERT_TRUE(config) << config.error().front().text();
    std::size_t ports = 0;
    for (const Listener& listener : config->listen) {
        for (const PortRange& range : listener.ports) ports += range.last - range.first + 1U;
    }
    EXPECT_EQ(ports, 3979U);
}

}  // namespace
}  // namespace outpost::config

#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/log.hpp"
#include "base/secret.hpp"
#include "limit/delivery_hours.hpp"
#include "limit/limits.hpp"

/// The configuration as typed values, checked as a whole: what a loaded Config says can be used
/// without further checks. Keys of features that do not exist yet are unknown keys.
namespace outpost::config {

using Duration = std::chrono::milliseconds;

/// `COUNT/PERIOD`, such as 20/10m.
struct CountPerPeriod {
    std::uint64_t count = 0;
    Duration period{};
    bool operator==(const CountPerPeriod&) const = default;
};

struct PortRange {
    std::uint16_t first = 0;
    std::uint16_t last = 0;  ///< the same as first for a port named singly
    [[nodiscard]] bool single() const noexcept { return first == last; }
    bool operator==(const PortRange&) const = default;
};

enum class ListenerTls : std::uint8_t { starttls, implicit, none };

struct Listener {
    std::string address = "::";  ///< an IP address; `::` takes IPv4 too
    std::vector<PortRange> ports;
    ListenerTls tls = ListenerTls::starttls;
    bool require_tls = true;  ///< AUTH and MAIL only once encrypted
    bool proxy_protocol = false;
    std::optional<std::string> trusted_account;  ///< loopback addresses only
    bool operator==(const Listener&) const = default;
};

struct Certificate {
    std::string certificate;  ///< PEM chain file
    std::string key;          ///< PEM key file
    bool operator==(const Certificate&) const = default;
};

enum class TlsVersion : std::uint8_t { tls12, tls13 };

struct Tls {
    std::vector<Certificate> certificates;
    TlsVersion min_version = TlsVersion::tls12;
    bool operator==(const Tls&) const = default;
};

enum class BareNewlines : std::uint8_t { reject, normalize };

struct Submission {
    std::uint64_t max_message_size = 25ULL << 20;
    std::uint32_t max_recipients = 1000;
    std::uint32_t max_connections = 10000;
    std::uint32_t max_connections_per_ip = 200;
    Duration idle_timeout = std::chrono::minutes(5);
    Duration data_timeout = std::chrono::minutes(10);
    BareNewlines bare_newlines = BareNewlines::reject;
    CountPerPeriod auth_failures_per_address{20, std::chrono::minutes(10)};
    CountPerPeriod auth_failures_per_account{10, std::chrono::minutes(10)};
    bool operator==(const Submission&) const = default;
};

struct Spool {
    std::uint64_t segment_size = 64ULL << 20;
    std::uint64_t large_message = 256ULL << 10;
    std::uint64_t min_free = 512ULL << 20;
    Duration max_age = std::chrono::days(5);
    Duration delay_notice = std::chrono::hours(4);  ///< 0: none
    bool operator==(const Spool&) const = default;
};

struct Retry {
    Duration first = std::chrono::minutes(1);
    double factor = 2;
    Duration max = std::chrono::hours(4);
    double jitter = 0.2;  ///< share of the wait, each way; 0 .. 1
    bool operator==(const Retry&) const = default;
};

struct Dsn {
    enum class To : std::uint8_t { sender, none, address };
    To to = To::sender;
    std::string to_address;
    std::string from;  ///< a mailbox; default: Mail Delivery System <mailer-daemon@HOSTNAME>
    std::string via;   ///< an upstream or group; empty: the message's own route
    bool operator==(const Dsn&) const = default;
};

enum class WhenExceeded : std::uint8_t {
    reject,  ///< 454 at RCPT
    hold,    ///< accepted; waits for the reset
};

struct Account {
    std::string name;
    std::string password_hash;  ///< RFC 5803 form; checked when loaded
    base::Secret password;      ///< instead of password_hash; hashed at the start
    bool active = true;
    std::string note;
    std::uint8_t priority = 3;
    std::uint8_t priority_cap = 1;
    bool provider_headers = false;                ///< X-SES-* and the like of a message are kept
    std::vector<std::string> authorized_domains;  ///< lower case; `.example.com` takes subdomains
    std::vector<std::string> authorized_senders;  ///< local@domain
    std::vector<std::string> allowed_networks;    ///< ADDRESS/BITS; empty: everywhere
    std::optional<std::uint64_t> max_message_size;
    std::optional<std::uint32_t> max_recipients;
    std::vector<limit::Rate> submit_rate;  ///< refused over it; recipients or messages, not octets
    limit::Limits limits;                  ///< rate, smooth and quota
    WhenExceeded when_exceeded = WhenExceeded::reject;  ///< of limits.quota
    std::uint32_t weight = 1;                     ///< its share beside other accounts, 1 .. 1000
    std::optional<limit::DeliveryHours> deliver;  ///< nothing: at any time
    std::string route;  ///< an upstream or group; empty: by Config::routes, the last of which then
                        ///< takes everything
    bool removed = false;  ///< nobody can use it; what it has in the queue still goes by it

    bool operator==(const Account&) const = default;
};

/// What accounts inherit.
struct AccountDefaults {
    Account account;
    bool names_route = false;  ///< or there are routes for those who name none
};

enum class Encryption : std::uint8_t { none, starttls, tls };
enum class Uncertain : std::uint8_t { retry, report };

struct Verify {
    enum class Mode : std::uint8_t { full, none, fingerprint };
    Mode mode = Mode::full;
    std::string sha256;  ///< lower-case hex of the DER certificate's digest
    bool operator==(const Verify&) const = default;
};

/// Where the access tokens come from that an SMTP upstream wants instead of a password.
struct OAuth2 {
    enum class Grant : std::uint8_t { client_credentials, refresh_token };
    std::string token_url;  ///< https, or http on this machine
    std::string client_id;
    base::Secret client_secret;  ///< empty for a public client
    Grant grant = Grant::client_credentials;
    base::Secret refresh_token;  ///< for the grant of that name
    std::string scope;           ///< empty: what the server gives by default
    bool operator==(const OAuth2&) const = default;
};

struct SmtpUpstream {
    std::string host;        ///< without brackets
    bool bracketed = false;  ///< `[host]`: that host itself, no MX lookup
    std::uint16_t port = 25;
    Encryption encryption = Encryption::starttls;
    Verify verify;
    std::string username;  ///< empty: no AUTH
    base::Secret password;
    std::optional<OAuth2> oauth2;  ///< instead of the password
    std::uint32_t messages_per_connection = 100;
    Uncertain uncertain = Uncertain::retry;
    bool operator==(const SmtpUpstream&) const = default;
};

struct SendmailUpstream {
    std::string command;  ///< absolute; could be run when it was loaded
    bool operator==(const SendmailUpstream&) const = default;
};

struct SandboxUpstream {
    std::string directory;
    bool operator==(const SandboxUpstream&) const = default;
};

/// An email provider's HTTP API.
struct ApiUpstream {
    std::string provider;       ///< its type: `sendgrid`
    std::string endpoint;       ///< base URL; empty: the provider's own
    base::Secret api_key;       ///< SES: none
    base::Secret api_secret;    ///< Mailjet, MailUp
    std::string domain;         ///< Mailgun: the sending domain
    std::string region;         ///< SES: `eu-west-1`; others: `eu` or empty
    std::string access_key_id;  ///< SES; empty: environment, shared file, role
    base::Secret secret_access_key;
    std::string proxy;                     ///< URL; empty: none
    std::string ca_bundle;                 ///< PEM file; empty: the system's authorities
    std::optional<Uncertain> uncertain{};  ///< nothing: by what the provider can do
    bool operator==(const ApiUpstream&) const = default;
};

/// What a message is to look like to this upstream, whatever its sender wrote.
struct Overrides {
    struct From {
        std::string name;   ///< UTF-8; empty: the name stays as it was
        std::string email;  ///< local@domain
        bool operator==(const From&) const = default;
    };
    std::optional<From> from;  ///< the author goes to Reply-To, if there is none
    std::string reply_to;      ///< a mailbox; empty: as it is
    std::string return_path;   ///< local@domain; empty: as it is
    bool verp = false;         ///< each recipient gets a return path of their own

    bool operator==(const Overrides&) const = default;
};

/// Part of an upstream's rates and quota that only mail of this priority or higher may use.
struct Reserve {
    std::uint8_t priority = 1;
    double share = 0;  ///< 0 .. 1, neither included
    bool operator==(const Reserve&) const = default;
};

enum class PriorityOrder : std::uint8_t {
    strict,    ///< a higher priority goes next, always
    weighted,  ///< each priority that has mail gets its share
};

struct Upstream {
    std::string name;
    bool active = true;  ///< an inactive one takes no mail; it waits, or goes by others of a group
    std::string description;
    std::uint32_t concurrency = 20;
    limit::Limits limits;  ///< rate, smooth and quota
    std::optional<Reserve> reserve;
    PriorityOrder priority = PriorityOrder::strict;
    std::array<std::uint32_t, 5> share{16, 8, 4, 2, 1};  ///< of priority 1 .. 5 where weighted
    Overrides overrides;
    std::variant<SmtpUpstream, SendmailUpstream, SandboxUpstream, ApiUpstream> kind;
    bool operator==(const Upstream&) const = default;
};

enum class Strategy : std::uint8_t {
    failover,     ///< the first that works
    overflow,     ///< the first that works and has rate and quota left
    weighted,     ///< each its share of those that can take more now
    round_robin,  ///< the same with equal shares
};

[[nodiscard]] constexpr std::string_view name_of(Strategy strategy) noexcept {
    switch (strategy) {
        case Strategy::failover: return "failover";
        case Strategy::overflow: return "overflow";
        case Strategy::weighted: return "weighted";
        case Strategy::round_robin: return "round_robin";
    }
    return "";
}

/// Several upstreams that share mail. A message that one of them cannot carry goes by another.
struct Group {
    struct Member {
        std::string upstream;
        std::uint32_t weight = 1;
        bool operator==(const Member&) const = default;
    };
    /// The queue keeps a bit a member of who has refused a message.
    static constexpr std::size_t most_members = 15;

    std::string name;
    Strategy strategy = Strategy::failover;
    std::vector<Member> members;  ///< in the order of the configuration; never empty
    bool operator==(const Group&) const = default;
};

/// A header field that a message must have for a route.
struct HeaderMatch {
    std::string name;
    std::optional<std::string> value;  ///< compared without regard to case; nothing: any
    bool operator==(const HeaderMatch&) const = default;
};

/// Where mail goes that fits all lists that are not empty: one entry of each.
struct Route {
    std::vector<std::string> accounts;
    std::vector<std::string> sender_domains;     ///< canonical; `.example.com` takes subdomains too
    std::vector<std::string> recipient_domains;  ///< the same
    std::vector<std::uint8_t> priorities;
    std::vector<HeaderMatch> headers;
    std::string via;  ///< an upstream or group

    [[nodiscard]] bool takes_everything() const noexcept {
        return accounts.empty() && sender_domains.empty() && recipient_domains.empty() &&
               priorities.empty() && headers.empty();
    }
    bool operator==(const Route&) const = default;
};

/// Where operators ask.
struct Control {
    std::string socket = "/run/outpost/control.sock";
    bool socket_set = false;  ///< by the configuration: it must be possible then
    std::string http;         ///< ADDRESS:PORT of /metrics and /healthz; empty: none
    bool operator==(const Control&) const = default;
};

/// What happened to each recipient, for operators to look up.
struct History {
    Duration keep = std::chrono::days(14);  ///< 0: none is kept
    std::uint64_t max_size = 2ULL << 30;    ///< of its file; the oldest goes
    bool operator==(const History&) const = default;
};

struct Log {
    base::log::Level level = base::log::Level::info;
    base::log::Format format = base::log::Format::text;
    bool operator==(const Log&) const = default;
};

/// A key of the configuration as it was written.
struct Setting {
    base::Secret value;
    bool secret = false;  ///< not for anybody's eyes
    bool operator==(const Setting&) const = default;
};

/// Where the counters of limits are kept.
struct LimitStore {
    struct Redis {
        std::string host;
        std::uint16_t port = 6379;
        std::uint32_t database = 0;
        base::Secret password;  ///< empty: none
        std::string node;       ///< this machine's name among those that share the counters
        double share = 0.5;  ///< of each limit while Redis is away; all nodes' together at most 1
        bool operator==(const Redis&) const = default;
    };
    std::optional<Redis> redis;  ///< nothing: in data_dir/outpost.db
    bool operator==(const LimitStore&) const = default;
};

struct Config {
    std::string file;
    std::map<std::string, Setting> settings;  ///< by path: `accounts.shop.rate`
    std::string hostname;
    std::string data_dir = "/var/lib/outpost";
    std::vector<Listener> listen;
    Tls tls;
    Submission submission;
    Spool spool;
    Retry retry;
    Dsn dsn;
    std::map<std::string, Account> accounts;
    std::map<std::string, std::string> account_places;  ///< `outpost.yaml:31:3`, of those in files
    AccountDefaults account_defaults;
    std::map<std::string, Upstream> upstreams;
    std::map<std::string, Group> groups;
    std::vector<Route> routes;  ///< the first that fits; an account's own comes before them
    LimitStore limits;
    Control control;
    History history;
    Log log;
};

}  // namespace outpost::config

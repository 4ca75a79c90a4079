#include "account/directory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <span>

#include "account/scram.hpp"

namespace outpost::account {
namespace {

std::string derived_salt(std::string_view key, std::string_view name, std::size_t size) {
    return scram::hmac(key, fmt::format("salt {}", name)).substr(0, size);
}

/// Kept free of a size limit for the fields that are added to a message on its way.
constexpr std::uint64_t trace_room = 4096;

/// The largest message that these rates let through: a larger one would be accepted and then wait
/// for ever. Of a rate that several nodes share, one of them has at most its share in hand.
std::uint64_t largest_message(std::span<const limit::Rate> rates, const config::LimitStore& store) {
    std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
    for (const limit::Rate& rate : rates) {
        if (rate.unit != limit::Unit::octets) continue;
        const double share = store.redis ? store.redis->share : 1;
        largest =
            std::min(largest, static_cast<std::uint64_t>(static_cast<double>(rate.count) * share));
    }
    return largest > trace_room ? largest - trace_room : 1;
}

std::uint64_t max_message_size(const config::Account& from, const config::Config& config) {
    const std::uint64_t server = config.submission.max_message_size;
    const std::uint64_t size = std::min({from.max_message_size.value_or(server), server,
                                         largest_message(from.limits.rates, config.limits)});
    const auto upstream = config.upstreams.find(from.route);
    if (upstream == config.upstreams.end()) return size;
    return std::min(size, largest_message(upstream->second.limits.rates, config.limits));
}

config::ScramValue hashed(const config::Account& from, std::string_view key) {
    return scram::make(from.password.reveal(),
                       derived_salt(key, from.name, scram::default_salt_size));
}

Account compile(const config::Account& from, const config::Config& config, std::string_view key) {
    Account account;
    account.name = from.name;
    account.active = from.active;
    if (from.password_hash.empty()) {
        account.secret = hashed(from, key);
    } else if (auto value = config::ScramValue::parse(from.password_hash)) {
        account.secret = std::move(*value);
    }
    account.authorized = AuthorizedSenders(from.authorized_domains, from.authorized_senders);
    for (const std::string& text : from.allowed_networks) {
        if (const auto network = config::Network::parse(text)) account.networks.push_back(*network);
    }
    account.max_message_size = max_message_size(from, config);
    const std::uint32_t most = config.submission.max_recipients;
    account.max_recipients = std::min(from.max_recipients.value_or(most), most);
    account.priority = from.priority;
    account.priority_cap = from.priority_cap;
    account.provider_headers = from.provider_headers;
    account.route = from.route;
    return account;
}

}  // namespace

std::shared_ptr<const Directory> Directory::build(const config::Config& config, std::string key) {
    const std::shared_ptr<Directory> directory(new Directory(std::move(key)));
    // A decoy looks like most accounts do.
    using Shape = std::pair<std::uint32_t, std::size_t>;
    std::map<Shape, std::size_t> shapes;
    for (const auto& [name, from] : config.accounts) {
        if (from.removed) continue;
        auto account = std::make_shared<const Account>(compile(from, config, directory->key_));
        ++shapes[{account->secret.iterations, account->secret.salt.size()}];
        directory->accounts_.emplace(name, std::move(account));
    }
    Shape shape{scram::default_iterations, scram::default_salt_size};
    if (!shapes.empty()) {
        shape = std::ranges::max_element(shapes, {}, [](const auto& s) { return s.second; })->first;
    }
    directory->decoy_iterations_ = shape.first;
    directory->decoy_salt_size_ = shape.second;
    return directory;
}

void hash_passwords(config::Config& config, std::string_view key) {
    for (auto& [name, account] : config.accounts) {
        if (!account.password_hash.empty()) continue;
        account.password_hash = hashed(account, key).text();
        account.password = {};
    }
}

std::shared_ptr<const Account> Directory::find(std::string_view name) const {
    const auto found = accounts_.find(name);
    return found == accounts_.end() ? nullptr : found->second;
}

config::ScramValue Directory::decoy(std::string_view name) const {
    std::string salt = derived_salt(key_, name, decoy_salt_size_);
    salt.resize(decoy_salt_size_, 's');
    return {decoy_iterations_, std::move(salt), scram::hmac(key_, fmt::format("stored {}", name)),
            scram::hmac(key_, fmt::format("server {}", name))};
}

}  // namespace outpost::account

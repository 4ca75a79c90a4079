#include "account/directory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "account/scram.hpp"

namespace outpost::account {
namespace {

std::string derived_salt(std::string_view key, std::string_view name, std::size_t size) {
    return scram::hmac(key, fmt::format("salt {}", name)).substr(0, size);
}

Account compile(const config::Account& from, const config::Submission& server,
                std::string_view key) {
    Account account;
    account.name = from.name;
    account.active = from.active;
    if (from.password_hash.empty()) {
        account.secret = scram::make(from.password.reveal(),
                                     derived_salt(key, from.name, scram::default_salt_size));
    } else if (auto value = config::ScramValue::parse(from.password_hash)) {
        account.secret = std::move(*value);
    }
    account.authorized = AuthorizedSenders(from.authorized_domains, from.authorized_senders);
    for (const std::string& text : from.allowed_networks) {
        if (const auto network = config::Network::parse(text)) account.networks.push_back(*network);
    }
    account.max_message_size =
        std::min(from.max_message_size.value_or(server.max_message_size), server.max_message_size);
    account.max_recipients =
        std::min(from.max_recipients.value_or(server.max_recipients), server.max_recipients);
    account.priority = from.priority;
    account.priority_cap = from.priority_cap;
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
        auto account =
            std::make_shared<const Account>(compile(from, config.submission, directory->key_));
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

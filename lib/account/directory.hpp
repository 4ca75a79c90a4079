#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "account/account.hpp"
#include "config/types.hpp"

namespace outpost::account {

/// All accounts of one configuration, an immutable snapshot shared between threads. Names compare
/// exactly, octet by octet.
class Directory {
  public:
    /// Without the accounts that are removed. Hashes what is configured as a plain password, see
    /// hash_passwords(). `key` makes the salts of those, and of names that do not exist,
    /// unpredictable and yet the same for as long as it is the same.
    [[nodiscard]] static std::shared_ptr<const Directory> build(const config::Config& config,
                                                                std::string key);

    /// Null if there is none.
    [[nodiscard]] std::shared_ptr<const Account> find(std::string_view name) const;
    /// What a name that does not exist is checked against, so that it takes the same steps and time
    /// and nothing tells it from a real one. No password fits it.
    [[nodiscard]] config::ScramValue decoy(std::string_view name) const;

  private:
    explicit Directory(std::string key) : key_(std::move(key)) {}

    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>{}(text);
        }
    };
    std::unordered_map<std::string, std::shared_ptr<const Account>, Hash, std::equal_to<>>
        accounts_;
    std::string key_;
    std::uint32_t decoy_iterations_ = 0;
    std::size_t decoy_salt_size_ = 0;
};

/// Puts the RFC 5803 form in place of each plain password, so that later directories of this
/// configuration are quickly built: some milliseconds for each, on the calling thread. `key`: as
/// for Directory::build.
void hash_passwords(config::Config& config, std::string_view key);

}  // namespace outpost::account

#pragma once

#include <compare>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/loader.hpp"
#include "config/types.hpp"
#include "net/tls_context.hpp"

namespace outpost {

/// What the certificates of a configuration make; null if it names none. The error names the file
/// and what is wrong with it.
[[nodiscard]] std::expected<std::shared_ptr<net::TlsServer>, std::string> load_tls(
    const config::Config& config);

/// See config::load().
[[nodiscard]] std::optional<std::string> fault_of(const config::Certificate& pair);

/// By which a file that was written again is told from the one before.
struct FileStamp {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t size = -1;
    std::int64_t changed_seconds = 0;
    std::int64_t changed_nanoseconds = 0;
    auto operator<=>(const FileStamp&) const = default;
};

/// Of all certificates and keys.
[[nodiscard]] std::vector<FileStamp> stamps(const config::Tls& tls);

}  // namespace outpost

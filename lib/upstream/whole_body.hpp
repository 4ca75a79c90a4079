#pragma once

#include <boost/asio/awaitable.hpp>
#include <expected>
#include <string>

#include "spool/body.hpp"

namespace outpost::upstream {

/// All octets of a stored message. The error says why they cannot be read.
[[nodiscard]] boost::asio::awaitable<std::expected<std::string, std::string>> read_whole(
    spool::BodySource& body);

}  // namespace outpost::upstream

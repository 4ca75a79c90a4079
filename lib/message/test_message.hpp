#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/id.hpp"

/// The message by which an operator sees whether an upstream takes mail. Pure.
namespace outpost::message {

struct TestMessage {
    base::MessageId id{};
    std::string_view hostname{};
    std::string_view upstream{};
    std::string_view from{};  ///< local@domain, as is `to`
    std::string_view to{};
    std::string_view subject{};  ///< empty: `Test from Outpost (UPSTREAM)`
    base::WallTime now{};
    std::string_view random{};  ///< a few unguessable letters and digits
};

/// What is wrong with a subject, with its value; nothing if it may stand in a message.
[[nodiscard]] std::optional<std::string> subject_fault(std::string_view subject);

/// The octets, with CRLF. Addresses stand in it as they are, in UTF-8 where they are not ASCII.
[[nodiscard]] std::string build_test_message(const TestMessage& test);

}  // namespace outpost::message

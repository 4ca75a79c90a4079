#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "smtp/client_machine.hpp"
#include "smtp/client_transaction.hpp"
#include "smtp/reply_parser.hpp"

/// Plays scripts against the client machines. A script is a list of lines: `C: ...` what the
/// client must write (CRLF is added), `S: ...` what the server answers, `TLS`, `SASL start`,
/// `SASL step`, `BODY` what the client must ask for. Any step can be made to break instead.
namespace outpost::smtp::test {

using Script = std::vector<std::string>;

inline Reply reply(std::string_view line) {
    ReplyParser parser;
    const std::string wire = std::string(line) + "\r\n";
    std::string_view input = wire;
    auto result = parser.take(input);
    return result && *result ? **result : Reply{};
}

class Player {
  public:
    explicit Player(Script script) : script_(std::move(script)) {}

    /// From step `at` on the connection is broken in this way.
    void break_at(std::size_t at, ClientBroken how) {
        break_at_ = at;
        how_ = std::move(how);
    }
    [[nodiscard]] bool broken() const noexcept { return at_ >= break_at_; }
    [[nodiscard]] const ClientBroken& how() const noexcept { return how_; }
    [[nodiscard]] bool finished() const noexcept { return at_ == script_.size(); }
    [[nodiscard]] std::size_t at() const noexcept { return at_; }

    /// Compares what the client wrote with the script, line by line. False: broken meanwhile.
    bool wrote(std::string_view output) {
        while (!output.empty()) {
            if (broken()) return false;
            const auto end = output.find("\r\n");
            EXPECT_NE(end, std::string_view::npos);
            expect("C: " + std::string(output.substr(0, end)));
            output.remove_prefix(end + 2);
        }
        return true;
    }
    /// The client asked for something other than a reply.
    bool asked(std::string_view what) {
        if (broken()) return false;
        expect(std::string(what));
        return true;
    }
    /// The next reply of the script; nothing if the connection is broken here.
    std::optional<Reply> next_reply() {
        if (broken()) return std::nullopt;
        if (at_ == script_.size() || !script_[at_].starts_with("S: ")) {
            ADD_FAILURE() << "the client reads where the script goes on with "
                          << (at_ < script_.size() ? script_[at_] : "its end");
            break_at_ = 0;
            return std::nullopt;
        }
        std::string wire = script_[at_++].substr(3);
        while (at_ < script_.size() && script_[at_ - 1].size() > 6 && script_[at_ - 1][6] == '-')
            wire += "\r\n" + script_[at_++].substr(3);
        return reply(wire);
    }

  private:
    void expect(const std::string& step) {
        if (at_ < script_.size()) {
            EXPECT_EQ(step, script_[at_]) << "at step " << at_;
        } else {
            ADD_FAILURE() << "after the end of the script: " << step;
        }
        ++at_;
    }

    Script script_;
    std::size_t at_ = 0;
    std::size_t break_at_ = static_cast<std::size_t>(-1);
    ClientBroken how_;
};

/// Every way in which the network can fail a client.
inline const std::vector<ClientBroken>& ways_to_break() {
    static const std::vector<ClientBroken> ways{
        {ClientFault::disconnected, "connection closed"},
        {ClientFault::timed_out, "no reply within 5 minutes"},
        {ClientFault::protocol, "a line that is no SMTP reply"},
    };
    return ways;
}

}  // namespace outpost::smtp::test

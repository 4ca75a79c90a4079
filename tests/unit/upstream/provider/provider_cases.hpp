#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "upstream/provider/provider.hpp"

/// What the tests of all providers share: a message, answers as they come over the wire, and the
/// classes of outcomes under the names of esp-apis.md section 0.
namespace outpost::upstream::test {

/// The moment at which all answers of these tests come: Mon, 20 Dec 2021 20:33:21 GMT.
extern const base::WallTime answered_at;

extern const std::vector<std::string> three_recipients;

/// The message of a raw call; the views point at what outlives the test.
ApiMessage raw_message(std::string_view raw,
                       const std::vector<std::string>& recipients = three_recipients);

enum class Class {
    ok,
    recipient,  ///< PERM-RCPT
    message,    ///< PERM-MSG
    sender,
    account,
    throttle,  ///< and QUOTA
    temporary,
    mistake,  ///< BUG
    unclear,
    single  ///< nobody has it, and each wants a call of their own
};

struct AnswerCase {
    int status;
    std::string_view body;
    Class wanted;
    std::optional<std::chrono::seconds> wait{};
    net::HttpHeaders headers{};
};

Class class_of(const Outcome& outcome);

/// Every recipient of three has the class that the case wants.
void check_answers(const Provider& provider, const std::vector<AnswerCase>& cases,
                   const std::vector<std::string>& recipients = three_recipients);

/// Answers that no provider gives, and the provider's `own` errors in words that nobody knows:
/// never a delivery, and never a bounce but for 413.
void check_foreign_answers(const Provider& provider, const std::vector<std::string_view>& own = {});

/// An answer of success of which a part was lost: never a delivery, and never a bounce.
void check_cut_answer(const Provider& provider, int status, std::string_view body);

boost::json::value parsed_body(const net::HttpRequest& request);
/// The first header of that name, secret ones included; empty if there is none.
std::string header_of(const net::HttpRequest& request, std::string_view name);

}  // namespace outpost::upstream::test

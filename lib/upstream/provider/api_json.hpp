#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "net/http.hpp"

/// JSON for requests, and the JSON of answers, for which nobody vouches. Nothing here throws but
/// for memory.
namespace outpost::upstream::api {

/// A POST of a JSON body, without credentials.
[[nodiscard]] net::HttpRequest post_json(std::string url, const boost::json::value& body);

/// The body as JSON; nothing if it is cut off, nested deeper than any answer is, or no JSON.
[[nodiscard]] std::optional<boost::json::value> parse_body(const net::HttpResponse& answer);

/// What stands at a JSON pointer (RFC 6901: `/errors/0/message`); nullptr if nothing does.
[[nodiscard]] const boost::json::value* find_at(const boost::json::value& value,
                                                std::string_view pointer) noexcept;

/// A string as it is, an integer in digits; empty for anything else and for what is not there.
[[nodiscard]] std::string text_at(const boost::json::value& value, std::string_view pointer);

/// An integer, or one in digits.
[[nodiscard]] std::optional<std::int64_t> integer_at(const boost::json::value& value,
                                                     std::string_view pointer);

/// What an answer says that is not JSON, or not the JSON we know: the title of an HTML page, else
/// the body as it begins. For people.
[[nodiscard]] std::string words_of(const net::HttpResponse& answer);

/// The first text that stands at one of the pointers, else words_of the answer.
[[nodiscard]] std::string words_at(const net::HttpResponse& answer, const boost::json::value& value,
                                   std::initializer_list<std::string_view> pointers);

/// Whether a text holds one of the words, in any case. `words` are in lower case.
[[nodiscard]] bool mentions(std::string_view text, std::initializer_list<std::string_view> words);

}  // namespace outpost::upstream::api

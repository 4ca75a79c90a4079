#include "upstream/provider/api_json.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <utility>

#include "base/text.hpp"

namespace outpost::upstream::api {

namespace {

namespace json = boost::json;

/// Octets of a body that are not JSON and still looked at.
constexpr std::size_t longest_excerpt = 1000;

json::parse_options strict() {
    json::parse_options options;
    options.max_depth = 32;
    return options;
}

bool is_html(const net::HttpResponse& answer) {
    const auto type = answer.header("content-type");
    return (type && base::iequals(type->substr(0, 9), "text/html")) || answer.body.starts_with('<');
}

/// What stands between <title> and </title>; empty if there is none.
std::string_view html_title(std::string_view page, std::string_view lower) {
    const auto tag = lower.find("<title");
    if (tag == std::string_view::npos) return {};
    const auto begin = lower.find('>', tag);
    if (begin == std::string_view::npos) return {};
    const auto end = lower.find("</title", begin);
    if (end == std::string_view::npos) return {};
    return page.substr(begin + 1, end - begin - 1);
}

}  // namespace

net::HttpRequest post_json(std::string url, const json::value& body) {
    net::HttpRequest request;
    request.url = std::move(url);
    request.headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}};
    request.body = json::serialize(body);
    return request;
}

std::optional<json::value> parse_body(const net::HttpResponse& answer) {
    if (answer.truncated) return std::nullopt;
    json::error_code error;
    auto value = json::parse(answer.body, error, {}, strict());
    if (error) return std::nullopt;
    return value;
}

const json::value* find_at(const json::value& value, std::string_view pointer) noexcept {
    json::error_code error;
    return value.find_pointer(pointer, error);
}

std::string text_at(const json::value& value, std::string_view pointer) {
    const auto* found = find_at(value, pointer);
    if (found == nullptr) return {};
    if (const auto* text = found->if_string()) return {text->data(), text->size()};
    if (const auto* number = found->if_int64()) return std::to_string(*number);
    if (const auto* number = found->if_uint64()) return std::to_string(*number);
    return {};
}

std::optional<std::int64_t> integer_at(const json::value& value, std::string_view pointer) {
    const std::string text = text_at(value, pointer);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return number;
}

std::string words_of(const net::HttpResponse& answer) {
    const auto body = std::string_view(answer.body).substr(0, longest_excerpt);
    if (!is_html(answer)) return std::string(base::trim(body));
    const auto title = base::trim(html_title(body, base::to_lower(body)));
    return title.empty() ? "an HTML page" : "an HTML page: " + std::string(title);
}

std::string words_at(const net::HttpResponse& answer, const json::value& value,
                     std::initializer_list<std::string_view> pointers) {
    for (const auto pointer : pointers)
        if (auto text = text_at(value, pointer); !text.empty()) return text;
    return words_of(answer);
}

bool mentions(std::string_view text, std::initializer_list<std::string_view> words) {
    const std::string lower = base::to_lower(text);
    return std::ranges::any_of(
        words, [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

}  // namespace outpost::upstream::api

#include <sysexits.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <iostream>
#include <utility>

#include "ctl/commands.hpp"

namespace outpost::ctl {
namespace {

int exit_code(unsigned status) {
    switch (status) {
        case 400: return EX_USAGE;
        case 404: return EX_NOINPUT;
        case 422: return EX_CONFIG;
        default: return EX_SOFTWARE;
    }
}

int unanswered(const std::string& error) {
    std::cerr << "outpostctl: " << error << '\n';
    return EX_UNAVAILABLE;
}

/// Prints the words of an answer that is an error.
int refused(const control::Answer& answer) {
    boost::system::error_code error;
    const auto value = boost::json::parse(answer.body, error);
    const bool told = !error && value.is_object() && value.as_object().contains("error");
    std::cerr << "outpostctl: "
              << (told ? std::string(value.at("error").as_string())
                       : "outpostd answered " + std::to_string(answer.status))
              << '\n';
    return exit_code(answer.status);
}

}  // namespace

std::optional<boost::json::value> Session::ask(std::string_view method, std::string_view path,
                                               control::Query query, std::string body) {
    if (!reason.empty() && method != "GET") query["reason"] = reason;
    const auto answer = control::call(socket, method, path, query, std::move(body));
    if (!answer) {
        code = unanswered(answer.error());
        return std::nullopt;
    }
    boost::system::error_code error;
    auto value = boost::json::parse(answer->body, error);
    if (answer->status / 100 == 2 && !error) return value;
    code = refused(*answer);
    return std::nullopt;
}

std::optional<std::string> Session::fetch(std::string_view path) {
    auto answer = control::call(socket, "GET", path, {});
    if (!answer) {
        code = unanswered(answer.error());
        return std::nullopt;
    }
    if (answer->status / 100 == 2) return std::move(answer->body);
    code = refused(*answer);
    return std::nullopt;
}

}  // namespace outpost::ctl

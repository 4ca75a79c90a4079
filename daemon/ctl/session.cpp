#include <sysexits.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <iostream>

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

}  // namespace

std::optional<boost::json::value> Session::ask(std::string_view method, std::string_view path,
                                               control::Query query, std::string body) {
    if (!reason.empty() && method != "GET") query["reason"] = reason;
    const auto answer = control::call(socket, method, path, query, std::move(body));
    if (!answer) {
        std::cerr << "outpostctl: " << answer.error() << '\n';
        code = EX_UNAVAILABLE;
        return std::nullopt;
    }
    boost::system::error_code error;
    auto value = boost::json::parse(answer->body, error);
    if (answer->status / 100 == 2 && !error) return value;
    const bool told = !error && value.is_object() && value.as_object().contains("error");
    std::cerr << "outpostctl: "
              << (told ? std::string(value.at("error").as_string())
                       : "outpostd answered " + std::to_string(answer->status))
              << '\n';
    code = exit_code(answer->status);
    return std::nullopt;
}

}  // namespace outpost::ctl

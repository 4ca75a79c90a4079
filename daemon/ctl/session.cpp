#include <sysexits.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <iostream>
#include <utility>
#include <vector>

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

/// Prints the words of an answer that is an error.
int refused(const Session& session, const control::Answer& answer) {
    boost::system::error_code error;
    const auto value = boost::json::parse(answer.body, error);
    const int code = exit_code(answer.status);
    const auto* const told = error ? nullptr : value.if_object();
    if (told != nullptr && session.json && told->contains("faults")) {
        std::vector<std::string> faults;
        for (const auto& each : told->at("faults").as_array())
            faults.emplace_back(each.as_string());
        return session.fail(faults, code);
    }
    if (told != nullptr && told->contains("error"))
        return session.fail(told->at("error").as_string(), code);
    return session.fail("outpostd answered " + std::to_string(answer.status), code);
}

}  // namespace

std::optional<boost::json::value> Session::ask(std::string_view method, std::string_view path,
                                               control::Query query, std::string body) {
    if (!reason.empty() && method != "GET") query["reason"] = reason;
    const auto answer = control::call(socket, method, path, query, std::move(body));
    if (!answer) {
        code = fail(answer.error(), EX_UNAVAILABLE);
        return std::nullopt;
    }
    boost::system::error_code error;
    auto value = boost::json::parse(answer->body, error);
    if (answer->status / 100 == 2 && !error) return value;
    code = refused(*this, *answer);
    return std::nullopt;
}

std::optional<std::string> Session::fetch(std::string_view path) {
    auto answer = control::call(socket, "GET", path, {});
    if (!answer) {
        code = fail(answer.error(), EX_UNAVAILABLE);
        return std::nullopt;
    }
    if (answer->status / 100 == 2) return std::move(answer->body);
    code = refused(*this, *answer);
    return std::nullopt;
}

int Session::fail(std::string_view words, int exit_code) const {
    if (json) {
        std::cout << boost::json::serialize(boost::json::object{{"error", words}}) << '\n';
    } else {
        std::cerr << "outpostctl: " << words << '\n';
    }
    return exit_code;
}

int Session::fail(std::span<const std::string> faults, int exit_code) const {
    if (json) {
        const boost::json::array all(faults.begin(), faults.end());
        std::cout << boost::json::serialize(boost::json::object{{"errors", all}}) << '\n';
    } else {
        for (const std::string& fault : faults) std::cerr << fault << '\n';
    }
    return exit_code;
}

}  // namespace outpost::ctl

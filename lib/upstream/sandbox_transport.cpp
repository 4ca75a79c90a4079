#include "upstream/sandbox_transport.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <expected>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "base/clock.hpp"
#include "upstream/whole_body.hpp"

namespace outpost::upstream {

namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

std::string json_string(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            result += '\\';
            result += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            result += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
            result += c;
        }
    }
    return result + '"';
}

std::string envelope_json(const Delivery& delivery) {
    const auto& envelope = delivery.envelope;
    std::string recipients;
    for (const auto index : delivery.recipients) {
        if (!recipients.empty()) recipients += ", ";
        recipients += json_string(envelope.recipients[index].address);
    }
    return fmt::format(
        "{{\"id\": {}, \"account\": {}, \"sender\": {}, \"recipients\": [{}], \"received\": {}}}\n",
        json_string(delivery.id.text()), json_string(envelope.account),
        json_string(envelope.reverse_path), recipients,
        json_string(base::rfc3339(envelope.received)));
}

using Written = std::expected<void, std::string>;

Written write_file(const fs::path& path, std::string_view octets) {
    const auto failed = [&](const char* call) {
        return std::unexpected(
            fmt::format("{} {}: {}", call, path.string(), std::system_category().message(errno)));
    };
    auto temporary = path;
    temporary += ".tmp";
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(temporary.c_str(), "wb"),
                                                               &std::fclose);
    if (!file) return failed("cannot create");
    if (std::fwrite(octets.data(), 1, octets.size(), file.get()) != octets.size() ||
        std::fflush(file.get()) != 0)
        return failed("cannot write");
    if (std::rename(temporary.c_str(), path.c_str()) != 0) return failed("cannot rename to");
    return {};
}

std::string contents(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// ID, or ID-2, ID-3 ... where an earlier send of the message was for other recipients.
std::string free_name(const fs::path& directory, const std::string& id, std::string_view json) {
    std::string name = id;
    for (int i = 2; fs::exists(directory / (name + ".json")); ++i) {
        if (contents(directory / (name + ".json")) == json) break;
        name = fmt::format("{}-{}", id, i);
    }
    return name;
}

/// The name of the .eml file, or what went wrong.
std::expected<std::string, std::string> store(const fs::path& directory, const std::string& id,
                                              const std::string& json, std::string_view message) {
    const auto name = free_name(directory, id, json);
    if (auto done = write_file(directory / (name + ".json"), json); !done)
        return std::unexpected(std::move(done.error()));
    if (auto done = write_file(directory / (name + ".eml"), message); !done)
        return std::unexpected(std::move(done.error()));
    return name + ".eml";
}

SendReport report_of(const Delivery& delivery, const Outcome& outcome) {
    SendReport report;
    report.outcomes.assign(delivery.recipients.size(), outcome);
    return report;
}

}  // namespace

asio::awaitable<SendReport> SandboxTransport::send(Delivery delivery) {
    Outcome outcome;
    outcome.remote = directory_.string();
    auto message = co_await read_whole(delivery.body);
    if (!message) {
        outcome.scope = Scope::message;
        outcome.reply = smtp::own_words(std::move(message.error()));
        co_return report_of(delivery, outcome);
    }
    auto work = [directory = directory_, id = delivery.id.text(), json = envelope_json(delivery),
                 text = std::move(*message)] { return store(directory, id, json, text); };
    auto stored = co_await pool_.run(std::move(work));
    if (stored && *stored) {
        outcome.verdict = Verdict::delivered;
        outcome.remote_id = **stored;
        outcome.reply = {250, {2, 0, 0}, {"saved as " + (directory_ / **stored).string()}};
    } else {
        outcome.scope = Scope::upstream;
        outcome.reply = smtp::own_words(stored ? std::move(stored->error())
                                               : std::string("too many files wait to be written"));
    }
    co_return report_of(delivery, outcome);
}

asio::awaitable<std::expected<void, std::string>> SandboxTransport::probe() {
    auto work = [directory = directory_]() -> Written {
        const auto path = directory / ".probe";
        auto done = write_file(path, "");
        std::error_code ignored;
        fs::remove(path, ignored);
        return done;
    };
    auto done = co_await pool_.run(std::move(work));
    if (done) co_return std::move(*done);
    co_return std::unexpected("too many files wait to be written");
}

asio::awaitable<void> SandboxTransport::close() {
    co_return;
}

}  // namespace outpost::upstream

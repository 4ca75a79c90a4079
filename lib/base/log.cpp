#include "base/log.hpp"

#include <fmt/compile.h>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>

#include "base/clock.hpp"

namespace outpost::base::log {

namespace {

std::atomic<Format> chosen_format = Format::text;
std::atomic<bool> to_journal = false;

/// Standard error is systemd's journal, which keeps time and priority itself: systemd.exec(5),
/// $JOURNAL_STREAM.
bool is_journal() {
    const char* const stream = std::getenv("JOURNAL_STREAM");
    struct stat error{};
    return stream != nullptr && fstat(STDERR_FILENO, &error) == 0 &&
           stream == fmt::format("{}:{}", error.st_dev, error.st_ino);
}

/// How the journal is told a line's priority: sd-daemon(3).
std::string_view journal_prefix(Level level) {
    switch (level) {
        case Level::debug: return "<7>";
        case Level::info: return "<6>";
        case Level::warning: return "<4>";
        case Level::error: return "<3>";
    }
    return "<6>";
}

spdlog::level::level_enum to_spdlog(Level level) {
    switch (level) {
        case Level::debug: return spdlog::level::debug;
        case Level::info: return spdlog::level::info;
        case Level::warning: return spdlog::level::warn;
        case Level::error: return spdlog::level::err;
    }
    return spdlog::level::info;
}

std::string_view name(Level level) {
    switch (level) {
        case Level::debug: return "debug";
        case Level::info: return "info";
        case Level::warning: return "warning";
        case Level::error: return "error";
    }
    return "info";
}

spdlog::logger& logger() {
    static const auto instance = [] {
        auto made = std::make_shared<spdlog::logger>(
            "outpost", std::make_shared<spdlog::sinks::stderr_sink_mt>());
        made->set_pattern("%v");
        made->set_level(spdlog::level::info);
        return made;
    }();
    return *instance;
}

void append_quoted(fmt::memory_buffer& out, std::string_view text) {
    out.push_back('"');
    for (const char c : text) {
        const auto octet = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out.push_back('\\');
            out.push_back(c);
        } else if (octet < 32 || octet == 127) {
            fmt::format_to(fmt::appender(out), "\\u{:04x}", octet);
        } else {
            out.push_back(c);
        }
    }
    out.push_back('"');
}

bool needs_quotes(std::string_view text) {
    if (text.empty()) return true;
    for (const char c : text) {
        const auto octet = static_cast<unsigned char>(c);
        if (octet <= 32 || octet == 127 || c == '"' || c == '\\' || c == '=') return true;
    }
    return false;
}

/// At most six places, which is enough for microseconds.
void append_real(fmt::memory_buffer& out, double real) {
    fmt::memory_buffer digits;
    fmt::format_to(fmt::appender(digits), FMT_COMPILE("{:.6f}"), real);
    std::string_view text(digits.data(), digits.size());
    text = text.substr(0, text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.remove_suffix(1);
    out.append(text);
}

void append_value(fmt::memory_buffer& out, const Field& field) {
    if (const auto* text = std::get_if<std::string_view>(&field.value)) {
        if (chosen_format == Format::json || needs_quotes(*text)) {
            append_quoted(out, *text);
        } else {
            out.append(*text);
        }
    } else if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
        out.append(std::string_view(fmt::format_int(*number).c_str()));
    } else if (const auto* real = std::get_if<double>(&field.value)) {
        append_real(out, *real);
    } else {
        out.append(std::string_view(std::get<bool>(field.value) ? "true" : "false"));
    }
}

void append_text_line(fmt::memory_buffer& out, Level level, std::string_view event,
                      std::initializer_list<Field> fields) {
    if (!to_journal) {
        out.append(rfc3339(SystemClock{}.wall()));
        out.push_back(' ');
    }
    out.append(name(level));
    out.push_back(' ');
    out.append(event);
    for (const Field& field : fields) {
        out.push_back(' ');
        out.append(field.key);
        out.push_back('=');
        append_value(out, field);
    }
}

void append_json_line(fmt::memory_buffer& out, Level level, std::string_view event,
                      std::initializer_list<Field> fields) {
    fmt::format_to(fmt::appender(out), FMT_COMPILE(R"({{"time":"{}","level":"{}","event":)"),
                   rfc3339(SystemClock{}.wall()), name(level));
    append_quoted(out, event);
    for (const Field& field : fields) {
        out.push_back(',');
        append_quoted(out, field.key);
        out.push_back(':');
        append_value(out, field);
    }
    out.push_back('}');
}

}  // namespace

void configure(Level level, Format format) {
    chosen_format = format;
    to_journal = is_journal();
    logger().set_level(to_spdlog(level));
}

bool enabled(Level level) noexcept {
    return logger().should_log(to_spdlog(level));
}

void write(Level level, std::string_view event, std::initializer_list<Field> fields) {
    fmt::memory_buffer line;
    if (to_journal) line.append(journal_prefix(level));
    if (chosen_format == Format::json) {
        append_json_line(line, level, event, fields);
    } else {
        append_text_line(line, level, event, fields);
    }
    logger().log(to_spdlog(level), std::string_view(line.data(), line.size()));
}

}  // namespace outpost::base::log

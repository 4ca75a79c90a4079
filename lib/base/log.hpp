#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <variant>

/// Structured log lines to standard error: an event in words and key=value fields. A line about a
/// message carries its `id`. Thread-safe. Field values are printed with control characters made
/// harmless, so that a peer's words cannot forge a line. Nothing secret is ever passed in.
namespace outpost::base::log {

enum class Level : std::uint8_t { debug, info, warning, error };
enum class Format : std::uint8_t { text, json };

struct Field {
    std::string_view key;
    std::variant<std::string_view, std::int64_t, double, bool> value;

    template <class Value>
    Field(std::string_view name, const Value& v) : key(name), value(wrap(v)) {}

  private:
    template <class Value>
    static std::variant<std::string_view, std::int64_t, double, bool> wrap(const Value& v) {
        if constexpr (std::same_as<Value, bool>) {
            return v;
        } else if constexpr (std::integral<Value>) {
            return static_cast<std::int64_t>(v);
        } else if constexpr (std::floating_point<Value>) {
            return static_cast<double>(v);
        } else {
            return std::string_view(v);
        }
    }
};

/// Before any thread starts; the defaults are info and text.
void configure(Level level, Format format);
[[nodiscard]] bool enabled(Level level) noexcept;
void write(Level level, std::string_view event, std::initializer_list<Field> fields = {});

inline void debug(std::string_view event, std::initializer_list<Field> fields = {}) {
    if (enabled(Level::debug)) write(Level::debug, event, fields);
}
inline void info(std::string_view event, std::initializer_list<Field> fields = {}) {
    if (enabled(Level::info)) write(Level::info, event, fields);
}
inline void warning(std::string_view event, std::initializer_list<Field> fields = {}) {
    write(Level::warning, event, fields);
}
inline void error(std::string_view event, std::initializer_list<Field> fields = {}) {
    write(Level::error, event, fields);
}

}  // namespace outpost::base::log

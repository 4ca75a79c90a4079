#include "config/secret_source.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>

#include "base/log.hpp"
#include "base/text.hpp"
#include "config/units.hpp"

namespace outpost::config {
namespace {

constexpr std::size_t max_secret = 4096;
constexpr std::string_view forms =
    "must be a string, {file: PATH}, {env: NAME} or {credential: NAME}";

using Result = std::expected<base::Secret, std::string>;

std::string error_text(int error) {
    return std::strerror(error);
}

/// What stays wrong with a secret from whatever source.
Result checked(base::Secret secret) {
    const std::string_view value = secret.reveal();
    if (value.empty()) return std::unexpected("is empty");
    if (value.size() > max_secret) {
        return std::unexpected(fmt::format("is longer than {} octets", max_secret));
    }
    if (!base::is_utf8(value)) return std::unexpected("is not UTF-8");
    if (std::ranges::any_of(
            value, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; })) {
        return std::unexpected("has a line break or another control character in it");
    }
    return secret;
}

Result from_file(const Place& place, const std::string& path) {
    struct Descriptor {
        int value;
        ~Descriptor() {
            if (value >= 0) ::close(value);
        }
    };
    const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    struct stat status{};
    if (file.value < 0 || ::fstat(file.value, &status) != 0) {
        return std::unexpected(fmt::format("cannot read: {}", error_text(errno)));
    }
    if (S_ISDIR(status.st_mode)) return std::unexpected("is a directory");
    if ((status.st_mode & S_IROTH) != 0 && S_ISREG(status.st_mode)) {
        base::log::warning(
            "a secret's file can be read by everyone on this machine; chgrp outpost, chmod 640",
            {{"file", path}, {"named at", place.text()}});
    }
    std::string text(max_secret + 3, '\0');
    std::size_t size = 0;
    while (size < text.size()) {
        const ssize_t got = ::read(file.value, text.data() + size, text.size() - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return std::unexpected(fmt::format("cannot read: {}", error_text(errno)));
        if (got == 0) break;
        size += static_cast<std::size_t>(got);
    }
    text.resize(size);
    if (text.ends_with('\n')) text.pop_back();
    if (text.ends_with('\r')) text.pop_back();
    return checked(base::Secret(std::move(text)));
}

Result from_credential(const Place& place, const std::string& name) {
    const char* const directory = std::getenv("CREDENTIALS_DIRECTORY");
    if (name.find('/') != std::string::npos || name == "." || name == "..") {
        return std::unexpected("a credential's name has no /");
    }
    if (directory == nullptr || *directory == '\0') {
        return std::unexpected(
            "CREDENTIALS_DIRECTORY is not set; let systemd start outpostd, with LoadCredential=");
    }
    return from_file(place, fmt::format("{}/{}", directory, name));
}

Result from_environment(const std::string& name) {
    const char* const value = std::getenv(name.c_str());
    if (value == nullptr) return std::unexpected("is not set");
    return checked(base::Secret(value));
}

}  // namespace

std::string resolve_path(const Place& place, const std::string& path) {
    const std::filesystem::path written(path);
    if (written.is_absolute()) return path;
    return (std::filesystem::path(place.file->name).parent_path() / written).string();
}

std::optional<std::string> unreadable(const std::string& path) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0 || ::access(path.c_str(), R_OK) != 0) {
        return fmt::format("{}: {}", in_quotes(path), error_text(errno));
    }
    if (S_ISDIR(status.st_mode)) return fmt::format("{} is a directory", in_quotes(path));
    return std::nullopt;
}

std::optional<base::Secret> read_secret(Section& section, std::string_view key) {
    const YamlEntry* const entry = section.find(key);
    if (entry == nullptr) return std::nullopt;
    const YamlNode& node = entry->value;
    if (node.kind == YamlNode::Kind::scalar) {
        Result secret = checked(base::Secret(node.text));
        if (secret) return std::move(*secret);
        section.error(*entry, secret.error());
        return std::nullopt;
    }
    // What stands here could be an unquoted password, such as {xyz}: no part of it is shown.
    if (node.kind != YamlNode::Kind::mapping || node.entries.size() != 1) {
        section.error(*entry, std::string(forms));
        return std::nullopt;
    }
    const YamlEntry& source = node.entries.front();
    const bool known = source.key == "file" || source.key == "env" || source.key == "credential";
    const auto name = as_line(source.value);
    if (!known || !name) {
        section.error(*entry, std::string(forms));
        return std::nullopt;
    }
    Result secret = source.key == "file"
                        ? from_file(source.value.place, resolve_path(source.value.place, *name))
                    : source.key == "env" ? from_environment(*name)
                                          : from_credential(source.value.place, *name);
    if (secret) return std::move(*secret);
    section.diagnostics().add(
        source.value.place, section.path_of(key),
        fmt::format("{} {}: {}", source.key, in_quotes(*name), secret.error()));
    return std::nullopt;
}

}  // namespace outpost::config

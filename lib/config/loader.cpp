#include "config/loader.hpp"

#include <fmt/format.h>
#include <glob.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>

#include "config/changes.hpp"
#include "config/diagnostics.hpp"
#include "config/secret_source.hpp"
#include "config/section_readers.hpp"
#include "config/units.hpp"
#include "config/yaml_source.hpp"

namespace outpost::config {
namespace {

constexpr std::size_t max_file = 16 << 20;

/// Reads and parses files, numbering them in order.
class Reader {
  public:
    explicit Reader(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

    [[nodiscard]] std::optional<YamlNode> read(const std::string& path) {
        const auto file = std::make_shared<SourceFile>(path, files_++);
        if (const auto reason = unreadable(path)) {
            diagnostics_.add({file, 1, 1}, "", fmt::format("cannot read {}", *reason));
            return std::nullopt;
        }
        std::ifstream in(path, std::ios::binary);
        // In small pieces: one large buffer, freed again, would make malloc keep large ones for
        // good.
        std::string text;
        std::array<char, 16384> piece{};
        while (text.size() <= max_file && (in.read(piece.data(), piece.size()) || in.gcount() > 0))
            text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
        if (in.bad() || text.size() > max_file) {
            diagnostics_.add({file, 1, 1}, "", in.bad() ? "cannot be read" : "is over 16 MB");
            return std::nullopt;
        }
        return parse_yaml(file, text, diagnostics_);
    }

  private:
    Diagnostics& diagnostics_;
    std::size_t files_ = 0;
};

/// The files that a pattern names, sorted. None is no error for a pattern, but for a plain name.
Read<std::vector<std::string>> expand(const std::string& pattern) {
    glob_t found{};
    const auto stop_at = [](const char*, int error) {
        return error == ENOENT || error == ENOTDIR ? 0 : 1;
    };
    const int result = ::glob(pattern.c_str(), 0, stop_at, &found);
    const std::unique_ptr<glob_t, decltype(&::globfree)> owned(&found, &::globfree);
    std::vector<std::string> paths(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    const bool plain = pattern.find_first_of("*?[") == std::string::npos;
    if (result == GLOB_NOMATCH && plain) {
        return std::unexpected(fmt::format("there is no file {}", in_quotes(pattern)));
    }
    if (result != 0 && result != GLOB_NOMATCH) {
        return std::unexpected(
            fmt::format("cannot read {}: {}", in_quotes(pattern), std::strerror(errno)));
    }
    return paths;
}

/// Merges the included files into `root`; whether all could be read.
bool include_files(YamlNode& root, Reader& reader, Diagnostics& diagnostics) {
    const YamlEntry* const entry = root.find("include");
    if (entry == nullptr) return true;
    const auto patterns = as_list(entry->value);
    if (!patterns) {
        diagnostics.add(entry->value.place, "include", patterns.error());
        return false;
    }
    bool complete = true;
    std::vector<YamlNode> included;
    for (const YamlNode& pattern : *patterns) {
        const auto text = as_line(pattern);
        const auto paths =
            text ? expand(resolve_path(pattern.place, *text)) : std::unexpected(text.error());
        if (!paths) {
            diagnostics.add(pattern.place, "include", paths.error());
            complete = false;
            continue;
        }
        for (const std::string& path : *paths) {
            std::optional<YamlNode> tree = reader.read(path);
            complete = complete && tree.has_value();
            if (!tree) continue;
            if (const YamlEntry* const nested = tree->find("include")) {
                diagnostics.add(nested->place, "include", "only the main file may include others");
                std::erase_if(tree->entries, [](const YamlEntry& e) { return e.key == "include"; });
            }
            included.push_back(std::move(*tree));
        }
    }
    for (YamlNode& tree : included) merge_yaml(root, std::move(tree), "", diagnostics);
    return complete;
}

Config read_config(const YamlNode& tree, const CertificateCheck& check_certificate,
                   Diagnostics& diagnostics) {
    Config config;
    Section root(&tree, "", diagnostics);
    (void)root.find("include");
    read_server(root, config);
    read_control(root, config);
    read_tls(root, config, check_certificate);
    read_submission(root, config);
    read_queueing(root, config);
    read_upstreams(root, config);
    read_groups(root, config);
    read_dsn(root, config);
    read_limit_store(root, config);
    read_accounts(root, config);
    read_routes(root, config);
    read_listeners(root, config);
    root.finish();
    return config;
}

}  // namespace

std::expected<Config, std::vector<Diagnostic>> load(const std::string& path,
                                                    const CertificateCheck& check_certificate) {
    Diagnostics diagnostics;
    Reader reader(diagnostics);
    std::optional<YamlNode> root = reader.read(path);
    // With a part unread, what is missing would be reported without reason.
    if (root && include_files(*root, reader, diagnostics)) {
        Config config = read_config(*root, check_certificate, diagnostics);
        config.file = path;
        config.settings = settings_of(*root);
        if (diagnostics.empty()) return config;
    }
    return std::unexpected(diagnostics.sorted());
}

}  // namespace outpost::config

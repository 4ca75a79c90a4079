#include "config/diagnostics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace outpost::config {

std::string Place::text() const {
    return fmt::format("{}:{}:{}", file->name, line, column);
}

void Diagnostics::add(const Place& place, std::string key, std::string message) {
    Diagnostic diagnostic{place.file->name, place.line, place.column, std::move(key),
                          std::move(message)};
    found_.push_back({place.file->order, found_.size(), std::move(diagnostic)});
}

std::vector<Diagnostic> Diagnostics::sorted() const {
    std::vector<Found> found = found_;
    std::ranges::sort(found, {}, [](const Found& f) {
        return std::tuple(f.order, f.diagnostic.line, f.diagnostic.column, f.serial);
    });
    std::vector<Diagnostic> listed;
    for (Found& f : found) {
        // What is wrong in an anchor shows again at each alias.
        if (std::ranges::find(listed, f.diagnostic) == listed.end()) {
            listed.push_back(std::move(f.diagnostic));
        }
    }
    if (listed.size() > max_listed) {
        const std::size_t more = listed.size() - max_listed;
        listed.resize(max_listed);
        Diagnostic last = listed.back();
        last.key.clear();
        last.message = fmt::format("{} more errors follow", more);
        listed.push_back(std::move(last));
    }
    return listed;
}

}  // namespace outpost::config

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/diagnostic.hpp"

namespace outpost::config {

/// A file that was read. Its order is the one in which diagnostics are listed.
struct SourceFile {
    std::string name;
    std::size_t order = 0;
};

/// Where something stands.
struct Place {
    std::shared_ptr<const SourceFile> file;
    std::size_t line = 1;    ///< from 1
    std::size_t column = 1;  ///< from 1

    [[nodiscard]] std::string text() const;
};

/// Collects what is wrong, in any order.
class Diagnostics {
  public:
    static constexpr std::size_t max_listed = 50;

    void add(const Place& place, std::string key, std::string message);
    [[nodiscard]] bool empty() const noexcept { return found_.empty(); }
    /// In order of place, the same one once, cut at max_listed with a last line that says so.
    [[nodiscard]] std::vector<Diagnostic> sorted() const;

  private:
    struct Found {
        std::size_t order;
        std::size_t serial;  ///< those of one place stay in the order of finding
        Diagnostic diagnostic;
    };
    std::vector<Found> found_;
};

}  // namespace outpost::config

#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace outpost::control {

/// Rows of text as a table for people: columns as wide as their widest cell, two blanks between
/// them, the last one not padded. Cells are made printable. Pure.
class Table {
  public:
    explicit Table(std::vector<std::string> heading) : heading_(std::move(heading)) {}
    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
    [[nodiscard]] std::string text() const;
    [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }

  private:
    std::vector<std::string> heading_;
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace outpost::control

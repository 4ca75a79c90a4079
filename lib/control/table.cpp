#include "control/table.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace outpost::control {
namespace {

/// Columns on a terminal, near enough: code points.
std::size_t width(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

void put(std::string& out, const std::vector<std::string>& row,
         const std::vector<std::size_t>& widths) {
    for (std::size_t i = 0; i < row.size(); ++i) {
        out += row[i];
        if (i + 1 < row.size()) out.append(widths[i] - width(row[i]) + 2, ' ');
    }
    out += '\n';
}

}  // namespace

std::string Table::text() const {
    std::vector<std::vector<std::string>> all{heading_};
    for (const auto& row : rows_) {
        auto& clean = all.emplace_back();
        for (const std::string& cell : row) clean.push_back(base::printable(cell, 512));
    }
    std::vector<std::size_t> widths(heading_.size());
    for (const auto& row : all)
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
    std::string out;
    for (const auto& row : all) put(out, row, widths);
    return out;
}

}  // namespace outpost::control

#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>

#include "base/clock.hpp"
#include "history/event.hpp"

/// The table of the history's file, and the one connection that writes it. One row a recipient.
namespace outpost::store {

class HistoryTable {
  public:
    /// Opens the file; creates it (mode 0600) where there is none. Throws std::exception: the file
    /// cannot be opened, is damaged (is_damage()), or is of a form that a newer version wrote.
    explicit HistoryTable(const std::filesystem::path& file);

    /// The number of the newest row; 0 if there is none.
    [[nodiscard]] std::int64_t last_number();
    /// The rows of one entry get the numbers after `last`; returns the last of them.
    std::int64_t insert(const history::Entry& entry, std::int64_t last);
    [[nodiscard]] SQLite::Database& connection() noexcept { return connection_; }

    /// Removes rows from before that time, at most so many; returns how many.
    std::size_t remove_before(base::WallTime time, std::size_t most);
    std::size_t remove_oldest(std::size_t most);
    /// What the rows take, without room that is free for others.
    [[nodiscard]] std::uint64_t octets();
    /// Gives some of the room that is free back to the file system where it is much.
    void shrink();

  private:
    [[nodiscard]] std::int64_t number_of(const char* pragma);

    SQLite::Database connection_;
    SQLite::Statement insert_;
    SQLite::Statement remove_before_;
    SQLite::Statement remove_oldest_;
};

/// Whether an error says that the file is not (any more) what SQLite has written, or is of a form
/// that this version does not know.
[[nodiscard]] bool is_damage(const std::exception& error) noexcept;

/// Moves the file out of the way, to `FILE.damaged-TIME`; returns that name.
std::filesystem::path set_aside(const std::filesystem::path& file, base::WallTime now);

}  // namespace outpost::store

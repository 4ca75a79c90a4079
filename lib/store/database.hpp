#pragma once

#include <filesystem>
#include <memory>

namespace SQLite {
class Database;
}

/// The daemon's own database, FILE.db. SQLite's types stay inside this folder.
namespace outpost::store {

/// A database file that is there, sound and of this version's form. Others get connections of their
/// own from it; a connection belongs to one thread at a time. Outlives them.
class Database {
  public:
    /// Creates the file (mode 0600) where there is none and brings an older one to this version.
    /// Throws base::StartFailure, which names the file and what to do: it cannot be opened, is
    /// damaged, or a newer version has written it.
    explicit Database(std::filesystem::path file);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    [[nodiscard]] const std::filesystem::path& file() const noexcept { return file_; }
    /// A connection with the settings that every one must have: what it commits is on stable
    /// storage. Throws SQLite::Exception.
    [[nodiscard]] std::unique_ptr<SQLite::Database> connect() const;

  private:
    std::filesystem::path file_;
};

}  // namespace outpost::store

#pragma once

#include <filesystem>

namespace outpost::store {

/// Creates the file with mode 0600 where there is none, and gives it that mode where there is one:
/// SQLite would create it with the umask's. Files beside it (-wal, -shm) get the mode of it. Throws
/// base::StartFailure.
void create_private(const std::filesystem::path& file);

}  // namespace outpost::store

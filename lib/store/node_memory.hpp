#pragma once

#include <filesystem>
#include <string>

namespace outpost::store {

/// What a node must still know after a crash, in a small file: with which data of Redis it has
/// dealt last, and whether it may be living on its share. Without the file the worst is assumed.
class NodeMemory {
  public:
    /// An empty path keeps nothing.
    explicit NodeMemory(std::filesystem::path file);

    [[nodiscard]] const std::string& epoch() const noexcept { return epoch_; }
    [[nodiscard]] bool on_its_share() const noexcept { return on_its_share_; }
    /// On stable storage when it returns true; else nothing may be done that needs it, and error()
    /// names the file.
    [[nodiscard]] bool remember(const std::string& epoch, bool on_its_share);
    [[nodiscard]] const std::string& error() const noexcept { return error_; }

  private:
    [[nodiscard]] bool write(const std::string& text);

    std::filesystem::path file_;
    std::string epoch_;
    bool on_its_share_ = true;
    std::string error_;
};

}  // namespace outpost::store

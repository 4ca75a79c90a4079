#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace outpost::store {

/// What a node must still know after a crash, in a small file: with which data of Redis it has
/// dealt last, and whether it may be living on its share. Without the file the worst is assumed.
class NodeMemory {
  public:
    explicit NodeMemory(const std::filesystem::path& file);
    /// `kept`: what was written last, empty if nothing; `write` puts a new text in its place, for
    /// good, and returns why it could not, empty if it has.
    using Write = std::function<std::string(const std::string& text)>;
    NodeMemory(const std::string& kept, Write write);

    [[nodiscard]] const std::string& epoch() const noexcept { return epoch_; }
    [[nodiscard]] bool on_its_share() const noexcept { return on_its_share_; }
    /// On stable storage when it returns true; else nothing may be done that needs it, and error()
    /// names the file.
    [[nodiscard]] bool remember(const std::string& epoch, bool on_its_share);
    [[nodiscard]] const std::string& error() const noexcept { return error_; }

  private:
    Write write_;
    std::string epoch_;
    bool on_its_share_ = true;
    std::string error_;
};

}  // namespace outpost::store

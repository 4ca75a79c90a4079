#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "smtp/body_account.hpp"

namespace outpost::smtp {

/// Takes the chunks of BDAT (RFC 3030), all those of one message. The same checks as for DATA,
/// across chunk borders; `binary` rules lift all but the size. After a fault the rest of the
/// chunk is still taken, as the RFC asks, without being stored.
class BdatDecoder {
  public:
    explicit BdatDecoder(const BodyRules& rules) noexcept : account_(rules) {}

    /// A BDAT line has come. Only when no chunk is open. A message that gets over the maximum
    /// has its fault at once.
    void begin_chunk(std::uint64_t size, bool last) noexcept;

    struct Progress {
        std::size_t consumed = 0;     ///< octets of the input; what follows the chunk is left alone
        bool chunk_complete = false;  ///< this chunk is whole: time for its reply
        bool operator==(const Progress&) const = default;
    };
    /// Takes the octets that have arrived and appends the decoded ones to `sink`. A chunk of size
    /// 0 also needs one call, with whatever there is.
    [[nodiscard]] Progress feed(std::string_view input, std::string& sink);

    /// The last chunk is whole.
    [[nodiscard]] bool complete() const noexcept { return last_ && left_ == 0; }
    [[nodiscard]] BodyFault fault() const noexcept { return account_.fault(); }
    /// Octets decoded so far, the discarded ones included.
    [[nodiscard]] std::uint64_t size() const noexcept { return account_.size(); }

  private:
    void take(std::string_view octets, std::string& sink);

    BodyAccount account_;
    std::uint64_t left_ = 0;
    bool last_ = false;
    bool open_cr_ = false;
};

}  // namespace outpost::smtp

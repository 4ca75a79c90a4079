#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

namespace outpost::spool {

/// The octets of a message as the session made them: CRLF line ends, no dot-stuffing, fix-ups
/// done. Two parts, so that a rewritten header section needs no copy of the rest.
struct Content {
    std::string head;             ///< the header section with our trace fields and the empty line
    std::string data;             ///< what the client sent
    std::size_t data_offset = 0;  ///< the stored message goes on from here in `data`

    [[nodiscard]] std::string_view rest() const noexcept {
        return std::string_view(data).substr(data_offset);
    }
    [[nodiscard]] std::uint64_t size() const noexcept { return head.size() + rest().size(); }
};

/// Reads a stored message front to back. Used by one coroutine at a time, on the executor that
/// opened it; blocking reads are off-loaded.
class BodySource {
  public:
    virtual ~BodySource() = default;
    /// Octets of the whole message, header section included.
    [[nodiscard]] virtual std::uint64_t size() const noexcept = 0;
    /// The next piece, valid until the next call; empty at the end. The error names the file and
    /// what is wrong (damage, I/O error).
    virtual boost::asio::awaitable<std::expected<std::string_view, std::string>> next() = 0;
    /// Back to the first octet, for another attempt on a fresh connection.
    virtual void rewind() noexcept = 0;
};

}  // namespace outpost::spool

#include "spool/stored_body.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "spool/patient_offload.hpp"

namespace outpost::spool {

namespace asio = boost::asio;

using Piece = std::expected<std::string_view, std::string>;

asio::awaitable<Piece> HotBody::next() {
    while (given_ < 2) {
        const std::string_view piece =
            given_++ == 0 ? std::string_view(message_->content.head) : message_->content.rest();
        if (!piece.empty()) co_return piece;
    }
    co_return std::string_view();
}

asio::awaitable<Piece> RecordBody::next() {
    if (given_) co_return std::string_view();
    given_ = true;
    co_return record_.content();
}

asio::awaitable<Piece> LargeFileBody::next() {
    constexpr std::uint64_t piece_size = 64 << 10;
    const std::uint64_t length = std::min(piece_size, reference_.size - at_);
    if (length == 0) co_return std::string_view();
    if (!piece_ || piece_.use_count() > 1) piece_ = std::make_shared<std::string>();
    piece_->resize(length);
    if (!file_->read_cached_at(at_, *piece_)) {
        auto read = [file = file_, piece = piece_, at = at_] { return file->read_at(at, *piece); };
        const IoResult<std::size_t> got = co_await offload_patiently(pool_, std::move(read));
        if (!got) co_return std::unexpected(got.error().text);
        if (*got != length) co_return std::unexpected(damaged("it is shorter than it was stored"));
    }
    checksum_.update(*piece_);
    at_ += length;
    if (at_ == reference_.size && checksum_.digest() != reference_.checksum) {
        at_ -= length;  // nobody gets the last piece
        co_return std::unexpected(damaged("its checksum is wrong"));
    }
    co_return std::string_view(*piece_);
}

void LargeFileBody::rewind() noexcept {
    at_ = 0;
    checksum_.reset();
}

std::string LargeFileBody::damaged(const std::string& what) {
    std::string reason = fmt::format("{} is damaged: {}", store_->path(id_).string(), what);
    store_->report_damage(id_, reason);
    return reason;
}

}  // namespace outpost::spool

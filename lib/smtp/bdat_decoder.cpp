#include "smtp/bdat_decoder.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "smtp/body_text.hpp"

namespace outpost::smtp {

void BdatDecoder::begin_chunk(std::uint64_t size, bool last) noexcept {
    left_ = size;
    last_ = last;
    const auto room = std::numeric_limits<std::uint64_t>::max() - account_.size();
    account_.expect_size(account_.size() + std::min(size, room));
}

BdatDecoder::Progress BdatDecoder::feed(std::string_view input, std::string& sink) {
    const auto octets =
        input.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size())));
    left_ -= octets.size();
    if (account_.rules().binary) {
        account_.append(octets, sink);
    } else {
        take(octets, sink);
        // Nothing can follow to make a line end of it.
        if (complete() && std::exchange(open_cr_, false)) account_.bare_newline(sink);
    }
    return {octets.size(), left_ == 0};
}

void BdatDecoder::take(std::string_view octets, std::string& sink) {
    OctetCursor cursor(octets);
    while (!cursor.done()) {
        if (std::exchange(open_cr_, false)) {
            static_cast<void>(settle_cr(cursor, account_, sink));
        } else {
            open_cr_ = take_text(cursor, account_, sink) == TextStop::open_cr;
        }
    }
    account_.append(cursor.pending(), sink);
    account_.look_for_nul(octets);
}

}  // namespace outpost::smtp

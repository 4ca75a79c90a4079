#include "smtp/receive_buffer.hpp"

#include <algorithm>
#include <cstring>

namespace outpost::smtp {

ReceiveBuffer& ReceiveBuffer::operator=(ReceiveBuffer&& other) noexcept {
    storage_ = std::move(other.storage_);
    capacity_ = std::exchange(other.capacity_, 0);
    begin_ = std::exchange(other.begin_, 0);
    end_ = std::exchange(other.end_, 0);
    return *this;
}

std::span<char> ReceiveBuffer::prepare(std::size_t at_least) {
    if (begin_ == end_) begin_ = end_ = 0;
    if (capacity_ - end_ >= at_least) return {storage_.get() + end_, capacity_ - end_};
    const std::size_t used = size();
    if (used + at_least <= capacity_) {
        std::memmove(storage_.get(), storage_.get() + begin_, used);
    } else {
        const std::size_t grown = std::max(used + at_least, capacity_ + capacity_ / 2);
        auto storage = std::make_unique_for_overwrite<char[]>(grown);
        if (used > 0) std::memcpy(storage.get(), storage_.get() + begin_, used);
        storage_ = std::move(storage);
        capacity_ = grown;
    }
    begin_ = 0;
    end_ = used;
    return {storage_.get() + end_, capacity_ - end_};
}

void ReceiveBuffer::release() noexcept {
    if (!empty()) return;
    storage_.reset();
    capacity_ = begin_ = end_ = 0;
}

void ReceiveBuffer::append(std::string_view octets) {
    if (octets.empty()) return;
    std::memcpy(prepare(octets.size()).data(), octets.data(), octets.size());
    commit(octets.size());
}

}  // namespace outpost::smtp

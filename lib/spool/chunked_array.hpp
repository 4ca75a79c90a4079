#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <memory_resource>

namespace outpost::spool {

/// A growing array in chunks: elements never move, growth never copies, and memory goes back when
/// the array shrinks. One empty chunk is kept, so that a size around a boundary costs nothing.
template <class T, std::size_t chunk_size = 256>
class ChunkedArray {
  public:
    explicit ChunkedArray(std::pmr::memory_resource* memory) : chunks_(memory) {}

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] T& operator[](std::size_t i) { return chunks_[i / chunk_size][i % chunk_size]; }
    [[nodiscard]] const T& operator[](std::size_t i) const {
        return chunks_[i / chunk_size][i % chunk_size];
    }
    void push_back(const T& value) {
        if (size_ == chunks_.size() * chunk_size) chunks_.emplace_back();
        ++size_;
        (*this)[size_ - 1] = value;
    }
    void pop_back() {
        --size_;
        if (chunks_.size() > size_ / chunk_size + 2) chunks_.pop_back();
    }
    void clear() {
        size_ = 0;
        if (chunks_.size() > 1) chunks_.resize(1);
    }

  private:
    std::pmr::deque<std::array<T, chunk_size>> chunks_;
    std::size_t size_ = 0;
};

}  // namespace outpost::spool

#pragma once

#include <algorithm>
#include <cstdint>
#include <memory_resource>
#include <utility>

#include "base/clock.hpp"
#include "spool/chunked_array.hpp"

namespace outpost::spool {

/// Times in order, each with the index of what waits for it: a heap of four children a node, so
/// that a level costs one cache line. `Position` gives a reference to the place where an item's
/// position is kept, which lets any item be found and taken out; ~0 stands for "not here".
template <class Position>
class TimerHeap {
  public:
    struct Item {
        base::WallTime when{};
        std::uint32_t index = 0;
    };
    static constexpr std::uint32_t absent = ~std::uint32_t{0};

    TimerHeap(Position position, std::pmr::memory_resource* memory)
        : position_(position), items_(memory) {}

    [[nodiscard]] bool empty() const noexcept { return items_.size() == 0; }
    [[nodiscard]] const Item& top() const { return items_[0]; }

    /// Adds the item or moves it to its new time.
    void set(std::uint32_t index, base::WallTime when) {
        std::uint32_t at = position_(index);
        if (at == absent) {
            at = static_cast<std::uint32_t>(items_.size());
            items_.push_back({});
        }
        settle(at, {when, index});
    }

    /// Takes the item out, if it is here.
    void erase(std::uint32_t index) {
        const std::uint32_t at = std::exchange(position_(index), absent);
        if (at == absent) return;
        const Item last = items_[items_.size() - 1];
        items_.pop_back();
        if (at < items_.size()) settle(at, last);
    }

  private:
    static constexpr std::uint32_t fan_out = 4;

    /// Finds the place of `item`, starting from the vacant position `at`.
    void settle(std::uint32_t at, const Item& item) {
        while (at > 0) {
            const std::uint32_t parent = (at - 1) / fan_out;
            if (items_[parent].when <= item.when) break;
            put(at, items_[parent]);
            at = parent;
        }
        for (;;) {
            const std::uint32_t child = least_child(at);
            if (child == absent || items_[child].when >= item.when) break;
            put(at, items_[child]);
            at = child;
        }
        put(at, item);
    }

    [[nodiscard]] std::uint32_t least_child(std::uint32_t at) const {
        const std::size_t first = std::size_t{at} * fan_out + 1;
        const std::size_t end = std::min(first + fan_out, items_.size());
        if (first >= end) return absent;
        std::size_t least = first;
        for (std::size_t child = first + 1; child < end; ++child)
            if (items_[child].when < items_[least].when) least = child;
        return static_cast<std::uint32_t>(least);
    }

    void put(std::uint32_t at, const Item& item) {
        items_[at] = item;
        position_(item.index) = at;
    }

    Position position_;
    ChunkedArray<Item> items_;
};

}  // namespace outpost::spool

#pragma once

#include <cstdint>

namespace outpost::limit {

/// What a limit counts.
enum class Unit : std::uint8_t { recipients, messages, octets };
inline constexpr Unit all_units[] = {Unit::recipients, Unit::messages, Unit::octets};

/// An amount of mail, in each unit.
struct Usage {
    std::uint64_t recipients = 0;
    std::uint64_t messages = 0;
    std::uint64_t octets = 0;  ///< of the stored message, once a transaction

    bool operator==(const Usage&) const = default;
    [[nodiscard]] constexpr std::uint64_t& operator[](Unit unit) noexcept {
        return unit == Unit::recipients ? recipients : unit == Unit::messages ? messages : octets;
    }
    [[nodiscard]] constexpr std::uint64_t operator[](Unit unit) const noexcept {
        return unit == Unit::recipients ? recipients : unit == Unit::messages ? messages : octets;
    }
    constexpr Usage& operator+=(const Usage& other) noexcept {
        for (const Unit unit : all_units) (*this)[unit] += other[unit];
        return *this;
    }
    /// Never below zero.
    constexpr Usage& operator-=(const Usage& other) noexcept {
        for (const Unit unit : all_units)
            (*this)[unit] = (*this)[unit] > other[unit] ? (*this)[unit] - other[unit] : 0;
        return *this;
    }
    [[nodiscard]] friend constexpr Usage operator+(Usage a, const Usage& b) noexcept {
        return a += b;
    }
    [[nodiscard]] friend constexpr Usage operator-(Usage a, const Usage& b) noexcept {
        return a -= b;
    }
    [[nodiscard]] constexpr bool empty() const noexcept { return *this == Usage{}; }
};

}  // namespace outpost::limit

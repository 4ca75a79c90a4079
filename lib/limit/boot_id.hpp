#pragma once

#include <filesystem>
#include <string>

namespace outpost::limit {

/// What the kernel calls the present run of the machine; empty if it cannot be read.
[[nodiscard]] std::string read_boot_id(
    const std::filesystem::path& file = "/proc/sys/kernel/random/boot_id");

}  // namespace outpost::limit

#pragma once

#include <cstdint>
#include <string>

#include "spool/file_system.hpp"
#include "spool/parts.hpp"

/// Puts what cannot be served where a person can look at it: `damaged/NAME` with the octets and
/// `damaged/NAME.txt` with where they came from and what is wrong. Blocks.
namespace outpost::spool {

/// Copies octets of a file; durable on return. Unreadable blocks become zeros. A range of nothing
/// but zeros is not worth a copy.
IoResult<void> set_aside(FileSystem& files, const Paths& paths, const std::string& name,
                         File& source, std::uint64_t begin, std::uint64_t end,
                         const std::string& note);

}  // namespace outpost::spool

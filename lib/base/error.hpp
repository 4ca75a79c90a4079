#pragma once

#include <stdexcept>
#include <string>

namespace outpost::base {

/// A start that cannot go on. main() prints what() and exits with `exit_code`, one of sysexits.h.
/// The text names the thing, its value and what to do.
class StartFailure : public std::runtime_error {
  public:
    StartFailure(int code, const std::string& what) : std::runtime_error(what), exit_code(code) {}
    int exit_code;
};

}  // namespace outpost::base

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"
#include "smtp/reply.hpp"

namespace outpost::upstream {

/// Cuts our own credentials out of what a server says: a refusal that echoes the AUTH command must
/// not reach a log, a report or an API answer.
class Redaction {
  public:
    Redaction() = default;
    Redaction(std::string_view username, const base::Secret& password);

    /// Puts `***` for the password, as it is and in the base64 forms in which it was sent.
    void apply(smtp::Reply& reply) const;

  private:
    std::vector<base::Secret> forms_;  ///< the longest first
};

}  // namespace outpost::upstream

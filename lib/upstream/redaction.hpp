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
    /// One more secret, as it is and in base64; an empty one is none.
    void add(const base::Secret& secret);

    /// Puts `***` for the password, as it is and in the base64 forms in which it was sent, and for
    /// the other secrets; also for what a cut has left of one at the end of a line, from six
    /// octets.
    void apply(smtp::Reply& reply) const;

  private:
    void mask_at_end(std::string& line) const;

    /// One that is part of another comes after it.
    std::vector<base::Secret> forms_;
};

}  // namespace outpost::upstream

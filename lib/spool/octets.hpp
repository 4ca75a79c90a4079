#pragma once

#include "base/octets.hpp"

namespace outpost::spool {

using base::OctetReader;
using base::put;
using base::put_text;

}  // namespace outpost::spool

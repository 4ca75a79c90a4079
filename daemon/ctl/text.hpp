#pragma once

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>

namespace outpost::ctl {

/// A member of an object as text for a cell: strings as they are, lists with commas, null empty.
[[nodiscard]] std::string text(const boost::json::value& object, std::string_view key);
[[nodiscard]] std::string upstream_table(const boost::json::array& upstreams);
/// Empty where there is no group.
[[nodiscard]] std::string group_table(const boost::json::array& groups);

}  // namespace outpost::ctl

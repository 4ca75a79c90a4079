// links: net
// A header is waited for at every split before its end, and is not changed by what follows it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "net/proxy_header.hpp"

namespace {

using namespace outpost::net;

void require(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const auto result = parse_proxy_header(input);
    require(parse_proxy_header(std::string(input)) == result);
    const auto* header = std::get_if<ProxyHeader>(&result);
    if (header == nullptr) return 0;
    require(header->consumed <= input.size());
    const auto own = input.substr(0, header->consumed);
    require(parse_proxy_header(own) == result);
    for (std::size_t i = 0; i < own.size(); ++i)
        require(std::holds_alternative<ProxyNeedMore>(parse_proxy_header(own.substr(0, i))));
    return 0;
}

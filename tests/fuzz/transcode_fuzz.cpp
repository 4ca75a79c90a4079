// links: message
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "message/header_reader.hpp"
#include "message/transcode.hpp"

using namespace outpost;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view message(reinterpret_cast<const char*>(data), size);
    const auto result = message::to_seven_bit(message);
    if (!result) {
        require(!result.error().text.empty());
        return 0;
    }
    const auto header = message::read_header(*result);
    require(!message::has_eight_bit(std::string_view(*result).substr(header.body_offset)));
    require(message::to_seven_bit(*result) == *result);
    return 0;
}

// links: message
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "message/address_list.hpp"
#include "smtp/domain.hpp"

using namespace outpost;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view value(reinterpret_cast<const char*>(data), size);
    const auto list = message::parse_address_list(value);
    const auto single = message::parse_single_mailbox(value);
    if (!list) {
        require(list.error().position <= size && !list.error().text.empty() && !single);
        return 0;
    }
    if (single) require(list->size() == 1 && list->front() == *single);
    for (const auto& mailbox : *list) {
        require(!mailbox.local.empty());
        require(smtp::is_domain(mailbox.domain, true) || smtp::is_address_literal(mailbox.domain));
        // What is written out again reads the same, bare and in angle brackets.
        const auto bare = message::parse_single_mailbox(mailbox.address());
        const auto angle = message::parse_single_mailbox("n <" + mailbox.address() + ">");
        require(bare && *bare == mailbox && angle && *angle == mailbox);
    }
    return 0;
}

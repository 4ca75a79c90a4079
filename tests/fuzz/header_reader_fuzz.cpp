// links: message
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "message/header_reader.hpp"
#include "message/policy_header.hpp"
#include "message/priority.hpp"
#include "message/trace_headers.hpp"

using namespace outpost;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

message::TraceFacts facts() {
    message::TraceFacts facts;
    facts.hostname = "relay.example.com";
    facts.client_address = "192.0.2.1";
    facts.helo = "client.example";
    facts.id = base::MessageId{1};
    facts.random = "r4nd0m";
    return facts;
}

/// A careless reader: any line end ends a line, and what is not printable ASCII does not count.
bool careless_from(std::string_view line) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || line.front() == ' ' || line.front() == '\t')
        return false;
    std::string name;
    for (const char c : line.substr(0, colon))
        if (c > 32 && c < 127) name.push_back(base::ascii_lower(c));
    return name == "from";
}

/// How many From fields the careless reader finds before the first empty line.
unsigned careless_from_count(std::string_view stored) {
    unsigned count = 0;
    std::string_view header = stored.substr(0, stored.find("\r\n\r\n"));
    while (!header.empty()) {
        const auto end = std::min(header.find_first_of("\r\n"), header.size());
        if (end > 0 && careless_from(header.substr(0, end))) ++count;
        header.remove_prefix(std::min(end + 1, header.size()));
    }
    return count;
}

std::string kept(std::string_view message, const message::HeaderSection& header) {
    std::string out;
    for (const auto& field : header.fields)
        if (field.kind != message::FieldKind::bcc && field.kind != message::FieldKind::resent_bcc &&
            field.kind != message::FieldKind::return_path)
            out += message.substr(field.offset, field.size);
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view message(reinterpret_cast<const char*>(data), size);
    const auto header = message::read_header(message);
    std::size_t at = 0;
    for (const auto& field : header.fields) {
        require(field.offset == at && field.size <= header.end - at);
        const std::string_view whole = message.substr(field.offset, field.size);
        require(field.name.data() >= whole.data() &&
                field.value.data() + field.value.size() <= whole.data() + whole.size());
        at += field.size;
    }
    require(at == header.end && header.end <= header.body_offset && header.body_offset <= size);

    const auto policy = message::policy_header(header);
    require(policy.from_count == header.count(message::FieldKind::from));
    (void)message::priority_from_header(header);

    const auto fixed = message::fix_up(message, header, facts());
    const std::string stored = fixed.head + std::string(message.substr(fixed.data_offset));
    const std::string received = message::received_field(facts());
    require(stored.starts_with(received));
    require(std::string_view(stored).substr(received.size()).starts_with(kept(message, header)));
    require(stored.ends_with(message.substr(header.body_offset)));
    if (header.problem) return 0;

    require(careless_from_count(stored) == policy.from_count);
    // The defaults, but room for what was added.
    const auto again = message::read_header(stored, {.octets = 1 << 20, .fields = 3000});
    require(!again.problem && again.has_empty_line());
    require(std::string_view(stored).substr(again.body_offset) ==
            message.substr(header.body_offset));
    require(again.count(message::FieldKind::bcc) == 0);
    const auto twice = message::fix_up(stored, again, facts());
    require(twice.data_offset == 0 && twice.head == received);
    return 0;
}

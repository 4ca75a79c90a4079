#include "spool_harness.hpp"

#include <random>

namespace outpost::spool {

namespace asio = boost::asio;

Sample make_sample(std::uint64_t seed, std::size_t size, std::size_t recipients) {
    std::mt19937_64 random(seed);
    Sample sample;
    sample.envelope.account = "account" + std::to_string(seed % 3);
    sample.envelope.reverse_path = "sender" + std::to_string(seed) + "@example.com";
    for (std::size_t i = 0; i < recipients; ++i)
        sample.envelope.recipients.push_back(
            {"rcpt" + std::to_string(i) + "@example.net", {.given = true, .failure = true}, {}});
    sample.envelope.received = base::WallTime(std::chrono::milliseconds(1'700'000'000'000));
    sample.envelope.priority = static_cast<std::uint8_t>(1 + seed % 5);
    sample.octets = "Subject: " + std::to_string(seed) + "\r\n\r\n";
    while (sample.octets.size() < size) sample.octets.push_back(static_cast<char>(random()));
    return sample;
}

MessageState pending_state(std::size_t recipients, std::uint8_t attempts) {
    MessageState state;
    state.recipients.resize(recipients);
    for (auto& recipient : state.recipients) {
        recipient.attempts = attempts;
        recipient.last_reply = "451 4.3.0 later";
        recipient.next_attempt = base::WallTime(std::chrono::milliseconds(attempts));
    }
    return state;
}

MessageState decided_state(std::size_t recipients, std::uint8_t attempts) {
    MessageState state = pending_state(recipients, attempts);
    for (auto& recipient : state.recipients) {
        recipient.priority = 1;
        recipient.moved_to = "backup";
    }
    return state;
}

MessageState done_state(std::size_t recipients) {
    MessageState state;
    state.recipients.resize(recipients);
    for (auto& recipient : state.recipients) recipient.status = RecipientStatus::delivered;
    return state;
}

Tuning quick() {
    Tuning tuning;
    tuning.maintenance_interval = std::chrono::milliseconds(1);
    tuning.state_delay = std::chrono::milliseconds(0);
    tuning.smallest_segment = 4096;
    return tuning;
}

Options small_segments() {
    Options options;
    options.directory = "/spool";
    options.segment_size = 16 << 10;
    options.min_free = 0;
    return options;
}

std::expected<void, std::string> Harness::start(FileSystem& files, const Options& options,
                                                const Tuning& tuning) {
    spool_ = std::make_unique<SpoolImpl>(options, files, clock_, pool_, tuning);
    auto started = spool_->start();
    if (!started) return started;
    recovered_.clear();
    for (auto& summary : spool_->take_recovered()) recovered_.emplace(summary.id, summary);
    return {};
}

void Harness::stop() {
    if (spool_) spool_->close();
    spool_.reset();
}

namespace {

NewMessage new_message(base::MessageId id, const Sample& sample) {
    Content content;
    content.head = sample.octets.substr(0, 5);
    content.data = "cut off" + sample.octets.substr(content.head.size());
    content.data_offset = 7;
    return {id, sample.envelope, std::move(content)};
}

asio::awaitable<Harness::Stored> append_large(Spool& spool, base::MessageId id,
                                              const Sample& sample) {
    constexpr std::size_t piece = 3000;
    auto writer = co_await spool.begin_large(id);
    if (!writer) co_return std::unexpected(writer.error());
    for (std::size_t at = 0; at < sample.octets.size(); at += piece) {
        auto written = co_await writer->write(sample.octets.substr(at, piece));
        if (!written) co_return std::unexpected(written.error());
    }
    NewMessage message{id, sample.envelope, std::move(*writer).finish()};
    co_return co_await spool.append(std::move(message));
}

}  // namespace

Harness::Stored Harness::store(base::MessageId id, const Sample& sample) {
    return await(spool_->append(new_message(id, sample)));
}

Harness::Stored Harness::store_large(base::MessageId id, const Sample& sample) {
    return await(append_large(*spool_, id, sample));
}

std::vector<Harness::Stored> Harness::store_all(
    const std::vector<std::pair<base::MessageId, Sample>>& messages,
    const std::function<void()>& meanwhile) {
    std::vector<Stored> results(messages.size());
    for (std::size_t i = 0; i < messages.size(); ++i)
        asio::co_spawn(
            io_, spool_->append(new_message(messages[i].first, messages[i].second)),
            [&results, i](std::exception_ptr, Stored stored) { results[i] = std::move(stored); });
    io_.restart();
    io_.poll();
    if (meanwhile) meanwhile();
    io_.run();
    return results;
}

std::vector<std::optional<smtp::Envelope>> Harness::read_envelopes(
    std::vector<base::MessageId> ids) {
    return await(spool_->read_envelopes(std::move(ids)));
}

std::expected<StoredMessage, ReadFailure> Harness::read(base::MessageId id) {
    return await(spool_->read(id));
}

namespace {

asio::awaitable<std::expected<std::string, std::string>> read_all(BodySource& body) {
    std::string octets;
    for (;;) {
        auto piece = co_await body.next();
        if (!piece) co_return std::unexpected(piece.error());
        if (piece->empty()) co_return octets;
        octets.append(*piece);
    }
}

}  // namespace

std::expected<std::string, std::string> Harness::octets_of(BodySource& body) {
    return await(read_all(body));
}

std::string Harness::compare(base::MessageId id, const Sample& sample) {
    auto message = read(id);
    if (!message) return id.text() + ": " + message.error().reason;
    if (message->envelope != sample.envelope) return id.text() + ": another envelope";
    if (message->body->size() != sample.octets.size()) return id.text() + ": another size";
    const auto octets = octets_of(*message->body);
    if (!octets) return id.text() + ": " + octets.error();
    if (*octets != sample.octets) return id.text() + ": other octets";
    return {};
}

}  // namespace outpost::spool

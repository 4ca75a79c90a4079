#include "upstream/override_transport.hpp"

#include <optional>
#include <string_view>
#include <utility>

#include "message/header_reader.hpp"
#include "smtp/client_machine.hpp"
#include "upstream/overrides.hpp"

namespace outpost::upstream {

namespace {

using boost::asio::awaitable;

/// A stored message with another header section.
class EditedBody final : public spool::BodySource {
  public:
    /// Up to here a header section is looked for; the session has refused longer ones.
    static constexpr std::size_t most_octets = 1 << 20;

    explicit EditedBody(spool::BodySource& stored) : stored_(stored) {}

    awaitable<std::expected<void, std::string>> edit(const config::Overrides& overrides) {
        stored_.rewind();
        std::string front;
        for (;;) {
            const auto piece = co_await stored_.next();
            if (!piece) co_return std::unexpected(piece.error());
            front += *piece;
            const auto section = message::read_header(front);
            if (!section.ended && !piece->empty() && front.size() < most_octets) continue;
            head_ = override_header(front, section, overrides);
            body_offset_ = section.body_offset;
            rewind();
            co_return std::expected<void, std::string>{};
        }
    }

    [[nodiscard]] std::uint64_t size() const noexcept override {
        return head_.size() + stored_.size() - body_offset_;
    }
    awaitable<std::expected<std::string_view, std::string>> next() override {
        if (!std::exchange(head_given_, true)) co_return head_;
        for (;;) {
            auto piece = co_await stored_.next();
            if (!piece || piece->empty()) co_return piece;
            const auto skipped = std::min<std::uint64_t>(to_skip_, piece->size());
            to_skip_ -= skipped;
            piece->remove_prefix(skipped);
            if (!piece->empty()) co_return piece;
        }
    }
    void rewind() noexcept override {
        stored_.rewind();
        head_given_ = false;
        to_skip_ = body_offset_;
    }

  private:
    spool::BodySource& stored_;
    std::string head_;
    std::uint64_t body_offset_ = 0;
    std::uint64_t to_skip_ = 0;
    bool head_given_ = false;
};

/// Transactions of one send. What became of their recipients is recorded when it ends, and until
/// then a crash would have them made again.
constexpr std::size_t most_transactions = 20;

SendReport deferred(const Delivery& delivery, std::string words) {
    Outcome outcome;
    outcome.scope = Scope::message;
    outcome.reply = smtp::own_words(std::move(words));
    SendReport report;
    report.outcomes.assign(delivery.recipients.size(), outcome);
    return report;
}

void add(Stages& sum, const Stages& stages) {
    sum.connect += stages.connect;
    sum.greeting += stages.greeting;
    sum.transfer += stages.transfer;
}

}  // namespace

awaitable<SendReport> OverrideTransport::send(Delivery delivery) {
    std::optional<EditedBody> edited;
    if (changes_header(overrides_)) {
        edited.emplace(delivery.body);
        if (const auto done = co_await edited->edit(overrides_); !done)
            co_return deferred(delivery, done.error());
    }
    spool::BodySource& body = edited ? *edited : delivery.body;
    auto envelope = delivery.envelope;
    if (overrides_.verp && !envelope.reverse_path.empty())
        co_return co_await send_each(
            {delivery.id, delivery.envelope, delivery.recipients, body, delivery.one_transaction});
    envelope.reverse_path = override_reverse_path(envelope.reverse_path, overrides_,
                                                  delivery.id.text(), std::string_view());
    co_return co_await inner_->send(
        {delivery.id, envelope, delivery.recipients, body, delivery.one_transaction});
}

awaitable<SendReport> OverrideTransport::send_each(Delivery delivery) {
    SendReport all;
    auto envelope = delivery.envelope;
    for (std::size_t i = 0; i < delivery.recipients.size(); ++i) {
        const auto one = delivery.recipients.subspan(i, 1);
        envelope.reverse_path =
            override_reverse_path(delivery.envelope.reverse_path, overrides_, delivery.id.text(),
                                  envelope.recipients[one.front()].address);
        delivery.body.rewind();
        auto report = co_await inner_->send({delivery.id, envelope, one, delivery.body, true});
        add(all.stages, report.stages);
        all.reused = report.reused;
        all.dsn_relayed = report.dsn_relayed;
        all.deliver_by_relayed = report.deliver_by_relayed;
        all.outcomes.push_back(std::move(report.outcomes.front()));
        auto rest = for_the_rest(all.outcomes.back());
        const bool enough = delivery.one_transaction || i + 1 == most_transactions;
        if (!rest && !enough) continue;
        if (!rest) rest.emplace().untried = true;
        all.outcomes.resize(delivery.recipients.size(), *rest);
        break;
    }
    co_return all;
}

awaitable<std::expected<void, std::string>> OverrideTransport::probe() {
    return inner_->probe();
}

awaitable<void> OverrideTransport::close() {
    return inner_->close();
}

}  // namespace outpost::upstream

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "faulty_files.hpp"
#include "net/offload.hpp"
#include "spool/spool_impl.hpp"

namespace outpost::spool {

/// A message that a test stores: its envelope and octets follow from its seed.
struct Sample {
    smtp::Envelope envelope;
    std::string octets;
};

[[nodiscard]] Sample make_sample(std::uint64_t seed, std::size_t size, std::size_t recipients = 1);
[[nodiscard]] MessageState pending_state(std::size_t recipients, std::uint8_t attempts);
/// The same, moved by the operator and with a priority of his.
[[nodiscard]] MessageState decided_state(std::size_t recipients, std::uint8_t attempts);
[[nodiscard]] MessageState done_state(std::size_t recipients);
/// Small segments, no waiting.
[[nodiscard]] Tuning quick();
[[nodiscard]] Options small_segments();

/// A spool with the threads and executors that it needs, driven by one thread of a test.
class Harness {
  public:
    Harness() = default;
    ~Harness() { stop(); }
    Harness(const Harness&) = delete;
    Harness& operator=(const Harness&) = delete;

    [[nodiscard]] std::expected<void, std::string> start(FileSystem& files,
                                                         const Options& options = small_segments(),
                                                         const Tuning& tuning = quick());
    /// Orderly.
    void stop();
    [[nodiscard]] Spool& spool() { return *spool_; }
    /// What recovery found, by id.
    [[nodiscard]] const std::map<base::MessageId, Summary>& recovered() const { return recovered_; }

    template <class Result>
    Result await(boost::asio::awaitable<Result> work) {
        std::optional<Result> result;
        std::exception_ptr error;
        boost::asio::co_spawn(io_, keep(std::move(work), result),
                              [&](std::exception_ptr e) { error = e; });
        io_.restart();
        io_.run();
        if (error) std::rethrow_exception(error);
        return std::move(*result);
    }

    using Stored = std::expected<void, StoreFailure>;
    [[nodiscard]] Stored store(base::MessageId id, const Sample& sample);
    [[nodiscard]] Stored store_large(base::MessageId id, const Sample& sample);
    /// All at once, so that they meet in few commits. `meanwhile` is called when all wait.
    [[nodiscard]] std::vector<Stored> store_all(
        const std::vector<std::pair<base::MessageId, Sample>>& messages,
        const std::function<void()>& meanwhile = {});
    [[nodiscard]] std::expected<StoredMessage, ReadFailure> read(base::MessageId id);
    [[nodiscard]] std::vector<std::optional<smtp::Envelope>> read_envelopes(
        std::vector<base::MessageId> ids);
    /// The octets of a stored message, or the error.
    [[nodiscard]] std::expected<std::string, std::string> octets_of(BodySource& body);
    /// Like octets_of(read()), and checks the envelope against the sample: empty if all is right.
    [[nodiscard]] std::string compare(base::MessageId id, const Sample& sample);

  private:
    template <class Result>
    static boost::asio::awaitable<void> keep(boost::asio::awaitable<Result> work,
                                             std::optional<Result>& result) {
        result.emplace(co_await std::move(work));
    }

    base::SystemClock clock_;
    boost::asio::io_context io_;
    net::OffloadPool pool_{2, 64};
    std::unique_ptr<SpoolImpl> spool_;
    std::map<base::MessageId, Summary> recovered_;
};

}  // namespace outpost::spool

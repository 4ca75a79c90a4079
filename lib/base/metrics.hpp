#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What the process counts about itself, for who monitors it (docs/metrics.md). Counting is an
/// addition without a lock; what is counted under a name is a family, whose members differ by the
/// values of its labels. Label values come from the configuration or from fixed lists, never from a
/// peer, so that a family stays small.
namespace outpost::base::metrics {

/// Only grows. Thread-safe.
class Counter {
  public:
    void add(std::uint64_t count = 1) noexcept {
        value_.fetch_add(count, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t value() const noexcept {
        return value_.load(std::memory_order_relaxed);
    }

  private:
    std::atomic<std::uint64_t> value_{0};
};

/// Goes up and down. Thread-safe.
class Gauge {
  public:
    void add(std::int64_t change) noexcept { value_.fetch_add(change, std::memory_order_relaxed); }
    void set(std::int64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
    [[nodiscard]] std::int64_t value() const noexcept {
        return value_.load(std::memory_order_relaxed);
    }

  private:
    std::atomic<std::int64_t> value_{0};
};

/// How values spread over ranges. Thread-safe; a snapshot taken in the midst of observe() may have
/// the value in its sum and not yet in its range.
class Histogram {
  public:
    /// `bounds`: the upper ends of the ranges, ascending; the last range has none. They outlive it.
    explicit Histogram(std::span<const double> bounds);

    void observe(double value) noexcept;
    void observe(std::chrono::duration<double> seconds) noexcept { observe(seconds.count()); }

    struct Value {
        std::vector<std::uint64_t> counts;  ///< of each range, the unbounded one last
        double sum = 0;
    };
    [[nodiscard]] Value value() const;

  private:
    std::span<const double> bounds_;
    std::vector<std::atomic<std::uint64_t>> counts_;
    std::atomic<double> sum_{0};
};

/// Half a millisecond to half a minute: one step of a delivery, one sync.
extern const std::span<const double> step_seconds;
/// A tenth of a second to five days: how long mail waits.
extern const std::span<const double> wait_seconds;
/// Powers of two up to 1,024.
extern const std::span<const double> batch_sizes;

enum class Kind : std::uint8_t { counter, gauge, histogram };

/// One member of a family at a moment.
struct Sample {
    std::vector<std::string> labels;  ///< values, in the order of the family's names
    double value = 0;                 ///< of a counter or gauge
    Histogram::Value histogram{};
};

/// A family at a moment.
struct Snapshot {
    std::string name;
    std::string help;  ///< one line
    Kind kind = Kind::gauge;
    std::vector<std::string> label_names{};
    std::vector<Sample> samples{};
    std::span<const double> bounds{};  ///< of histograms
};

/// All families of the process.
[[nodiscard]] std::vector<Snapshot> snapshot();

/// What families of every kind have. Known to snapshot() as long as it lives.
class AnyFamily {
  public:
    AnyFamily(const AnyFamily&) = delete;
    AnyFamily& operator=(const AnyFamily&) = delete;
    [[nodiscard]] virtual Snapshot snapshot() const = 0;

  protected:
    AnyFamily();
    virtual ~AnyFamily();
};

/// A family. Made once, at namespace scope, by the file that counts.
template <class Metric>
class Family final : public AnyFamily {
  public:
    Family(std::string name, std::string help, std::vector<std::string> label_names = {},
           std::span<const double> bounds = {})
        : head_{.name = std::move(name),
                .help = std::move(help),
                .kind = kind(),
                .label_names = std::move(label_names),
                .bounds = bounds} {}

    /// The member with these labels, one value for each name. It stays where it is as long as the
    /// family lives: who counts often looks it up once.
    Metric& with(std::initializer_list<std::string_view> values) {
        const std::vector<std::string> key(values.begin(), values.end());
        {
            const std::shared_lock lock(mutex_);
            if (const auto found = members_.find(key); found != members_.end())
                return *found->second;
        }
        const std::unique_lock lock(mutex_);
        auto& member = members_[key];
        if (!member) member = make();
        return *member;
    }

    [[nodiscard]] Snapshot snapshot() const override {
        Snapshot all = head_;
        const std::shared_lock lock(mutex_);
        for (const auto& [labels, member] : members_) {
            Sample& sample = all.samples.emplace_back(Sample{.labels = labels});
            if constexpr (std::same_as<Metric, Histogram>) {
                sample.histogram = member->value();
            } else {
                sample.value = static_cast<double>(member->value());
            }
        }
        return all;
    }

  private:
    static constexpr Kind kind() {
        if constexpr (std::same_as<Metric, Counter>) return Kind::counter;
        if constexpr (std::same_as<Metric, Gauge>) return Kind::gauge;
        return Kind::histogram;
    }
    std::unique_ptr<Metric> make() const {
        if constexpr (std::same_as<Metric, Histogram>) {
            return std::make_unique<Metric>(head_.bounds);
        } else {
            return std::make_unique<Metric>();
        }
    }

    const Snapshot head_;
    mutable std::shared_mutex mutex_;
    std::map<std::vector<std::string>, std::unique_ptr<Metric>> members_;
};

/// A family with one label of few, fixed values. Its members are there from the start, so that a
/// rate over them begins at zero, and are found by position: for an enumeration, at no cost.
template <class Metric, std::size_t Count>
class Enumerated {
  public:
    using Values = std::array<std::string_view, Count>;
    Enumerated(std::string name, std::string help, std::string label, const Values& values,
               std::span<const double> bounds = {})
        : family_(std::move(name), std::move(help), {std::move(label)}, bounds) {
        for (std::size_t i = 0; i < Count; ++i) members_[i] = &family_.with({values[i]});
    }
    [[nodiscard]] Metric& operator[](std::size_t position) noexcept { return *members_[position]; }

  private:
    Family<Metric> family_;
    std::array<Metric*, Count> members_{};
};

/// A family without labels.
template <class Metric>
class Single {
  public:
    Single(std::string name, std::string help, std::span<const double> bounds = {})
        : family_(std::move(name), std::move(help), {}, bounds), member_(family_.with({})) {}
    Metric* operator->() noexcept { return &member_; }

  private:
    Family<Metric> family_;
    Metric& member_;
};

}  // namespace outpost::base::metrics

#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "limit/lease.hpp"

namespace outpost::limit {

/// A lease store that forgets at the end of the process: for tests, and to simulate a crash (what
/// was granted is what a restart finds). Answers when run() is called.
class MemoryStore final : public LeaseStore {
  public:
    std::optional<std::string> restore(const std::string& key) override;
    void lease(LeaseRequest request, std::function<void(const LeaseAnswer&)> done) override;

    /// Answers all that waits; returns how many.
    std::size_t run();
    /// While set, requests are answered with this error and nothing is kept.
    void fail(std::string error);
    /// Requests that wait are lost, as in a crash.
    void drop();

  private:
    struct Pending {
        LeaseRequest request;
        std::function<void(const LeaseAnswer&)> done;
    };
    std::mutex mutex_;
    std::map<std::string, std::string> states_;
    std::vector<Pending> pending_;
    std::string error_;
};

}  // namespace outpost::limit

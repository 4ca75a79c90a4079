#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "spool/compaction.hpp"
#include "spool/parts.hpp"
#include "spool/segment_writer.hpp"

/// The work that no session waits for, on a thread of its own: index files of sealed segments,
/// removal of segments and large files, compaction, ageing of the cache, a look at the free space.
namespace outpost::spool {

class Maintenance {
  public:
    explicit Maintenance(Parts& parts) : parts_(parts), compaction_(parts) {}
    ~Maintenance() { stop(); }
    Maintenance(const Maintenance&) = delete;
    Maintenance& operator=(const Maintenance&) = delete;

    void start();
    /// Call after the committer has ended. What is left undone, the next start does.
    void stop();
    /// A segment will not be written to again. From the committer.
    void sealed(SealedSegment segment);

  private:
    void run();
    void age_cache();
    void write_indexes();
    void remove_segments();

    Parts& parts_;
    Compaction compaction_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    std::deque<SealedSegment> sealed_;
    bool trim_due_ = false;
    base::MonoTime trimmed_{};
    std::thread thread_;
};

}  // namespace outpost::spool

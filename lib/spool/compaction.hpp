#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include "spool/parts.hpp"
#include "spool/segment_index.hpp"

/// Empties segments that are mostly dead: what is still needed of them is handed to the committer,
/// who writes it to the end of the log, a little at a time. Then nothing needs the segment, and it
/// is removed. Runs on the maintenance thread.
namespace outpost::spool {

/// The segment that is being emptied.
struct CompactionSource {
    std::uint32_t number = 0;
    std::vector<IndexEntry> entries;
    std::size_t next = 0;
    bool complete = true;  ///< nothing that is needed had to be left behind
};

class Compaction {
  public:
    explicit Compaction(Parts& parts) : parts_(parts) {}

    /// Moves a little; true if there is more to do at once.
    bool step();

  private:
    /// Live octets below 30 %: rewriting them frees more than twice as much.
    static constexpr unsigned dead_percent = 70;
    static constexpr std::uint64_t step_octets = 256 << 10;

    bool open_source();
    std::shared_ptr<MoveBatch> collect(File& file);
    [[nodiscard]] bool needed(const IndexEntry& entry, const Location& where) const;
    void close_source(bool emptied);

    Parts& parts_;
    std::unique_ptr<CompactionSource> source_;  ///< null between segments
    std::set<std::uint32_t> given_up_;  ///< could not be emptied; left alone until the next start
};

}  // namespace outpost::spool

#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "spool/file_system.hpp"
#include "spool/segment_index.hpp"
#include "spool/segment_reader.hpp"

/// The segment that records are appended to. Used by the committer alone.
namespace outpost::spool {

/// A segment that will not be written to again, for its index file.
struct SealedSegment {
    SegmentIdentity identity;
    std::string entries;  ///< as append_entry() wrote them
    std::shared_ptr<File> file;
};

/// Where a segment that is gone on with stands.
struct OpenSegment {
    SegmentIdentity identity;
    std::string entries;
};

[[nodiscard]] std::string segment_name(std::uint32_t number);  ///< `00000001.log`
[[nodiscard]] std::string index_name(std::uint32_t number);    ///< `00000001.idx`
/// `00000001.void`: says from which offset on the segment holds refused records.
[[nodiscard]] std::string void_name(std::uint32_t number);

/// Lays out the records of one commit, pointing at the octets where they are. Pure.
class BatchLayout {
  public:
    /// `records`: at most so many will be added.
    BatchLayout(const SegmentIdentity& segment, std::size_t records);

    /// Adds a record whose header lacks only its place. The views must live until the write.
    Location add(RecordHeader header, std::string_view metadata, std::string_view content1 = {},
                 std::string_view content2 = {});
    /// Adds the record's line to the index.
    void index(const IndexEntry& entry) { append_entry(entries_, entry); }

    [[nodiscard]] std::span<const std::string_view> pieces() const noexcept { return pieces_; }
    [[nodiscard]] std::uint64_t end() const noexcept { return end_; }
    [[nodiscard]] bool empty() const noexcept { return headers_.empty(); }
    [[nodiscard]] std::string_view entries() const noexcept { return entries_; }
    [[nodiscard]] std::uint32_t last_offset() const noexcept { return last_offset_; }
    [[nodiscard]] std::uint64_t last_checksum() const noexcept;

  private:
    std::uint32_t segment_;
    std::uint64_t marker_;
    std::uint64_t start_;
    std::uint64_t end_;
    std::uint32_t last_offset_ = 0;
    std::vector<std::array<char, record_header_size>> headers_;  // never moved: pieces_ point here
    std::vector<std::string_view> pieces_;
    std::string entries_;
};

class SegmentWriter {
  public:
    /// A new segment; its directory entry is durable on return, and nothing stays after an error.
    static IoResult<std::unique_ptr<SegmentWriter>> create(FileSystem& files,
                                                           const std::filesystem::path& directory,
                                                           std::uint32_t number);
    /// Goes on with a segment that ends where `segment` says.
    static IoResult<std::unique_ptr<SegmentWriter>> resume(FileSystem& files,
                                                           const std::filesystem::path& directory,
                                                           OpenSegment segment);

    [[nodiscard]] BatchLayout layout(std::size_t records) const { return {identity_, records}; }
    [[nodiscard]] IoResult<void> write(const BatchLayout& batch);
    [[nodiscard]] IoResult<void> sync() { return file_->sync(); }
    /// The batch is durable: the segment ends after it.
    void accept(const BatchLayout& batch);
    /// Cuts off what was written since accept(), durably.
    [[nodiscard]] IoResult<void> undo();
    /// Call last.
    [[nodiscard]] SealedSegment seal() &&;

    [[nodiscard]] std::uint32_t number() const noexcept { return identity_.number; }
    [[nodiscard]] std::uint64_t size() const noexcept { return identity_.size; }
    [[nodiscard]] bool has_records() const noexcept { return identity_.last_offset != 0; }
    [[nodiscard]] const std::shared_ptr<File>& file() const noexcept { return file_; }

  private:
    SegmentWriter(std::shared_ptr<File> file, OpenSegment segment)
        : file_(std::move(file)),
          identity_(segment.identity),
          entries_(std::move(segment.entries)) {}

    std::shared_ptr<File> file_;
    SegmentIdentity identity_;  ///< size: the end of what is durable
    std::string entries_;
};

}  // namespace outpost::spool

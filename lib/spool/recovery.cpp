#include "spool/recovery.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <charconv>

#include "spool/damage.hpp"
#include "spool/index_file.hpp"
#include "spool/void_note.hpp"

namespace outpost::spool {

namespace {

struct SegmentList {
    std::vector<std::uint32_t> logs;       ///< ascending
    std::vector<std::string> superfluous;  ///< files that belong to no segment
    std::uint32_t highest = 0;
};

/// `00000012.log`: 12, if `suffix` is `.log`.
std::optional<std::uint32_t> numbered(std::string_view name, std::string_view suffix) {
    if (!name.ends_with(suffix)) return std::nullopt;
    name.remove_suffix(suffix.size());
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
    return number;
}

SegmentList sort_names(const std::vector<std::string>& names) {
    SegmentList list;
    for (const auto& name : names)
        if (const auto number = numbered(name, ".log")) list.logs.push_back(*number);
    std::ranges::sort(list.logs);
    for (const auto& name : names) {
        std::optional<std::uint32_t> number;
        for (const std::string_view suffix : {".log", ".idx", ".void"})
            if (!number) number = numbered(name, suffix);
        if (number) list.highest = std::max(list.highest, *number);
        if (name.ends_with(".tmp") || (number && !std::ranges::binary_search(list.logs, *number)))
            list.superfluous.push_back(name);
    }
    return list;
}

class Recovery {
  public:
    explicit Recovery(Parts& parts) : parts_(parts), directory_(parts.paths.segments) {}

    IoResult<void> run() {
        const auto names = parts_.files.list(directory_);
        if (!names) return std::unexpected(names.error());
        const SegmentList list = sort_names(*names);
        out_.next_segment = list.highest + 1;
        for (const std::uint32_t number : list.logs) {
            auto done = take_segment(number, number == list.logs.back());
            if (!done) return done;
        }
        for (const auto& name : list.superfluous)
            if (auto removed = parts_.files.remove(directory_ / name); !removed) return removed;
        if (auto synced = parts_.files.sync_directory(directory_); !synced) return synced;
        parts_.large->remove_orphans(
            [&](base::MessageId id) { return messages_.contains(id.value); });
        finish();
        return {};
    }
    Recovered take() { return std::move(out_); }

  private:
    IoResult<void> take_segment(std::uint32_t number, bool last) {
        if (auto cut = honour_void_note(number); !cut) return cut;
        auto file = parts_.files.open(directory_ / segment_name(number), OpenMode::update);
        if (!file) return std::unexpected(file.error());
        ++out_.report.segments;
        if (auto index = read_index(parts_.files, directory_, number, **file)) {
            parts_.catalog.add_segment(number, index->segment.size, true);
            replay(number, index->entries);
            if (last && worth_resuming(index->segment)) return reopen(*index);
            return {};
        }
        ++out_.report.segments_scanned;
        return take_scanned(number, **file, last);
    }

    /// A segment without a usable index: read it all.
    IoResult<void> take_scanned(std::uint32_t number, File& file, bool last) {
        auto scan = scan_segment(file, number);
        if (!scan) return std::unexpected(scan.error());
        const auto size = file.size();
        if (!size) return std::unexpected(size.error());
        bool holes = false;  // octets that stay, but are no records
        bool lost = false;   // some of them have no copy
        for (const auto& range : scan->damage) {
            const bool tail = last && range.end == *size && range.unfinished_commit;
            const bool copied = put_aside(number, file, range, last);
            holes = holes || !tail || !copied;
            lost = lost || !copied;
        }
        if (!holes)  // also gives back what was laid out beyond the end
            if (auto cut = file.truncate(scan->identity.size); !cut) return cut;
        // What is read from the cache of a crashed process may not be on disk yet. It is acted on
        // from now on: a done record, say, lets its message go.
        if (auto synced = file.sync(); !synced) return synced;
        if (scan->entries.empty() && !lost)
            return parts_.files.remove(directory_ / segment_name(number));
        if (holes) scan->identity.size = *size;  // an index vouches for the file as it is
        parts_.catalog.add_segment(number, scan->identity.size, true);
        replay(number, scan->entries);
        std::string entries;
        for (const auto& entry : scan->entries) append_entry(entries, entry);
        if (last && !holes && worth_resuming(scan->identity)) {
            parts_.catalog.add_segment(number, scan->identity.size, false);
            out_.open = OpenSegment{scan->identity, std::move(entries)};
            return {};
        }
        if (lost) return {};  // without an index, so that the next start tries again
        if (auto made = write_index(parts_.files, directory_, scan->identity, entries); !made)
            out_.report.notes.push_back(made.error().text);
        return {};
    }

    [[nodiscard]] bool worth_resuming(const SegmentIdentity& segment) const {
        return segment.size < parts_.segment_size - parts_.segment_size / 8;
    }

    /// An orderly stop left an index, which says nothing of what will be appended.
    IoResult<void> reopen(const SegmentIndex& index) {
        const std::uint32_t number = index.segment.number;
        auto removed = parts_.files.remove(directory_ / index_name(number));
        if (removed) removed = parts_.files.sync_directory(directory_);
        if (!removed) return removed;
        OpenSegment open{index.segment, {}};
        for (const auto& entry : index.entries) append_entry(open.entries, entry);
        parts_.catalog.add_segment(number, index.segment.size, false);
        out_.open = std::move(open);
        return {};
    }

    IoResult<void> honour_void_note(std::uint32_t number) {
        const auto path = directory_ / void_name(number);
        if (const auto end = read_void_note(parts_.files, directory_, number)) {
            auto file = parts_.files.open(directory_ / segment_name(number), OpenMode::update);
            if (!file) return std::unexpected(file.error());
            const auto size = (*file)->size();
            if (!size) return std::unexpected(size.error());
            if (*size > *end) {
                if (auto cut = (*file)->truncate(*end); !cut) return cut;
                out_.report.notes.push_back(
                    fmt::format("{}: {} octets of refused mail cut off at offset {}",
                                (directory_ / segment_name(number)).string(), *size - *end, *end));
            }
            if (auto synced = (*file)->sync(); !synced) return synced;
        }
        return parts_.files.remove(path);
    }

    /// Reports a damaged range; true if its octets have a copy.
    bool put_aside(std::uint32_t number, File& file, const DamagedRange& range, bool last) {
        const bool unfinished = last && range.unfinished_commit;
        const std::string name = fmt::format("{:08}-{}.bin", number, range.begin);
        const std::string note = fmt::format(
            "{}: octets {} to {} {}: {}", (directory_ / segment_name(number)).string(), range.begin,
            range.end,
            unfinished ? "were not finished when the process ended, nothing acknowledged is lost"
                       : "are damaged",
            range.reason);
        if (!unfinished) ++out_.report.damaged_records;
        const auto aside =
            set_aside(parts_.files, parts_.paths, name, file, range.begin, range.end, note);
        out_.report.notes.push_back(
            note + (aside ? "; a copy is in " + (parts_.paths.damaged / name).string()
                          : "; no copy could be made: " + aside.error().text));
        return aside.has_value();
    }

    void replay(std::uint32_t number, const std::vector<IndexEntry>& entries) {
        for (const auto& entry : entries) {
            const Location where{number, entry.offset, entry.length};
            const base::MessageId id = entry.id();
            out_.last_id = std::max(out_.last_id, id);
            switch (entry.type) {
                case RecordType::message:
                case RecordType::large_message:
                    parts_.catalog.put_message(id, where, entry.type == RecordType::large_message);
                    messages_.insert_or_assign(id.value, entry.summary);
                    break;
                case RecordType::state:
                    states_.insert_or_assign(id.value, Latest{where, entry.summary});
                    break;
                case RecordType::done:
                    parts_.catalog.put_done(id, where, entry.range);
                    messages_.erase(id.value);
                    states_.erase(id.value);
                    break;
            }
        }
    }

    /// States count only now: compaction may have moved a message behind its latest state.
    void finish() {
        for (const auto& [value, latest] : states_) {
            const auto message = messages_.find(value);
            if (message == messages_.end()) continue;
            parts_.catalog.put_state(base::MessageId{value}, latest.where);
            apply_state(message->second, latest.change);
        }
        out_.messages.reserve(messages_.size());
        for (auto& [value, summary] : messages_) out_.messages.push_back(std::move(summary));
        std::ranges::sort(out_.messages, {}, &Summary::id);
        out_.report.messages = out_.messages.size();
    }

    struct Latest {
        Location where;
        Summary change;
    };

    Parts& parts_;
    const std::filesystem::path directory_;
    Recovered out_;
    boost::unordered_flat_map<std::uint64_t, Summary> messages_;
    boost::unordered_flat_map<std::uint64_t, Latest> states_;
};

}  // namespace

std::expected<Recovered, std::string> recover(Parts& parts) {
    Recovery recovery(parts);
    if (auto done = recovery.run(); !done) return std::unexpected(done.error().text);
    return recovery.take();
}

}  // namespace outpost::spool

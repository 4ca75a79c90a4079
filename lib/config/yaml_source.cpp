#include "config/yaml_source.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <sstream>

#include "base/text.hpp"

namespace outpost::config {
namespace {

constexpr std::size_t max_nodes = 200'000;  // aliases of aliases would grow without bound

/// Keys are shown as they stand in the file, made safe for a terminal.
std::string shown(std::string_view key) {
    return base::printable(key, 64);
}

void report_twice(const YamlEntry& first, const YamlEntry& second, const std::string& path,
                  Diagnostics& diagnostics) {
    diagnostics.add(second.place, join_key(path, shown(second.key)),
                    fmt::format("is set twice; the first is at {}", first.place.text()));
}

/// Ends a parse that yaml-cpp would go on with.
struct Abandoned {};

class Builder final : public YAML::EventHandler {
  public:
    Builder(std::shared_ptr<const SourceFile> file, Diagnostics& diagnostics)
        : file_(std::move(file)), diagnostics_(diagnostics) {}

    [[nodiscard]] std::optional<YamlNode> take() { return std::move(root_); }

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (root_) {
            give_up(mark, "a second document begins here; a configuration is one");
        }
    }
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        YamlNode node;
        node.place = place(mark);
        put(std::move(node), anchor);
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        check_tag(mark, tag);
        YamlNode node;
        node.kind = YamlNode::Kind::scalar;
        node.place = place(mark);
        node.quoted = tag == "!";
        node.text = value;
        put(std::move(node), anchor);
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto found = anchors_.find(anchor);
        if (found == anchors_.end()) give_up(mark, "an alias stands within its own anchor");
        put(found->second, 0);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value style) override {
        open(mark, tag, {{}, anchor, style, std::nullopt}, YamlNode::Kind::sequence);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value style) override {
        open(mark, tag, {{}, anchor, style, std::nullopt}, YamlNode::Kind::mapping);
    }
    void OnMapEnd() override { close(); }

  private:
    struct Frame {
        YamlNode node;
        YAML::anchor_t anchor;
        YAML::EmitterStyle::value style;
        std::optional<YamlEntry> entry;  ///< its key is known, its value is awaited
    };

    [[nodiscard]] Place place(const YAML::Mark& mark) const {
        return {file_, static_cast<std::size_t>(std::max(mark.line, 0)) + 1,
                static_cast<std::size_t>(std::max(mark.column, 0)) + 1};
    }
    [[noreturn]] void give_up(const YAML::Mark& mark, std::string message) {
        diagnostics_.add(place(mark), path(), std::move(message));
        throw Abandoned{};
    }
    [[nodiscard]] std::string path() const {
        std::string joined;
        for (const Frame& frame : frames_) {
            if (frame.entry) joined = join_key(joined, shown(frame.entry->key));
        }
        return joined;
    }
    void check_tag(const YAML::Mark& mark, const std::string& tag) {
        // The tag may be the beginning of an unquoted password: it is not shown.
        if (tag.empty() || tag == "?" || tag == "!" || tag.starts_with("tag:yaml.org,2002:"))
            return;
        diagnostics_.add(place(mark), path(),
                         "YAML tags are not used here; quote a value that begins with !");
    }
    [[noreturn]] void refuse_key(const Place& at) {
        const Frame& top = frames_.back();
        std::string message = "a key must be a single value";
        // What follows a `{` that nobody closed is read as more of its keys.
        if (top.style == YAML::EmitterStyle::Flow)
            message += fmt::format("; or the {{ at {}:{} is not closed", top.node.place.line,
                                   top.node.place.column);
        diagnostics_.add(at, path(), std::move(message));
        throw Abandoned{};
    }
    void open(const YAML::Mark& mark, const std::string& tag, Frame frame, YamlNode::Kind kind) {
        check_tag(mark, tag);
        if (awaits_key()) refuse_key(place(mark));
        frame.node.kind = kind;
        frame.node.place = place(mark);
        frames_.push_back(std::move(frame));
    }
    void close() {
        Frame frame = std::move(frames_.back());
        frames_.pop_back();
        if (frame.node.kind == YamlNode::Kind::mapping) apply_merge_keys(frame.node);
        put(std::move(frame.node), frame.anchor);
    }
    [[nodiscard]] bool awaits_key() const {
        return !frames_.empty() && frames_.back().node.kind == YamlNode::Kind::mapping &&
               !frames_.back().entry;
    }
    static std::size_t count(const YamlNode& node) {
        std::size_t total = 1;
        for (const YamlNode& item : node.items) total += count(item);
        for (const YamlEntry& entry : node.entries) total += count(entry.value);
        return total;
    }
    void put(YamlNode node, YAML::anchor_t anchor) {
        nodes_ += node.kind == YamlNode::Kind::scalar ? 1 : count(node);
        if (nodes_ > max_nodes) {
            diagnostics_.add(node.place, path(), "the file is too large, or its aliases multiply");
            throw Abandoned{};
        }
        if (anchor != 0) anchors_[anchor] = node;
        if (frames_.empty()) {
            root_ = std::move(node);
            return;
        }
        Frame& top = frames_.back();
        if (top.node.kind == YamlNode::Kind::sequence) {
            top.node.items.push_back(std::move(node));
        } else if (!top.entry) {
            if (node.kind != YamlNode::Kind::scalar) refuse_key(node.place);
            top.entry = YamlEntry{std::move(node.text), node.place, {}};
        } else {
            put_entry(top, std::move(node));
        }
    }
    void put_entry(Frame& top, YamlNode value) {
        YamlEntry entry = std::move(*top.entry);
        top.entry.reset();
        entry.value = std::move(value);
        if (const YamlEntry* first = top.node.find(entry.key)) {
            report_twice(*first, entry, path(), diagnostics_);
        } else {
            top.node.entries.push_back(std::move(entry));
        }
    }
    void apply_merge_keys(YamlNode& map) {
        const auto merge = std::ranges::find(map.entries, "<<", &YamlEntry::key);
        if (merge == map.entries.end()) return;
        const YamlEntry entry = std::move(*merge);
        map.entries.erase(merge);
        std::vector<const YamlNode*> sources;
        if (entry.value.kind == YamlNode::Kind::sequence) {
            for (const YamlNode& item : entry.value.items) sources.push_back(&item);
        } else {
            sources.push_back(&entry.value);
        }
        for (const YamlNode* source : sources) {
            if (source->kind != YamlNode::Kind::mapping) {
                diagnostics_.add(source->place, join_key(path(), "<<"),
                                 "must be an alias of a mapping, or a list of them");
                continue;
            }
            for (const YamlEntry& inherited : source->entries) {
                if (map.find(inherited.key) == nullptr) map.entries.push_back(inherited);
            }
        }
    }

    std::shared_ptr<const SourceFile> file_;
    Diagnostics& diagnostics_;
    std::vector<Frame> frames_;
    std::map<YAML::anchor_t, YamlNode> anchors_;
    std::optional<YamlNode> root_;
    std::size_t nodes_ = 0;
};

/// yaml-cpp's words, where they help; never with a piece of the file in them.
std::string syntax_error(std::string_view words) {
    struct Rule {
        std::string_view begins;
        std::string_view message;
    };
    static const Rule rules[] = {
        {YAML::ErrorMsg::UNKNOWN_ANCHOR,
         "an alias of an anchor that is not defined; quote a value that begins with *"},
        {YAML::ErrorMsg::ALIAS_NOT_FOUND, "quote a value that begins with *"},
        {YAML::ErrorMsg::CHAR_IN_ALIAS, "quote a value that begins with *"},
        {YAML::ErrorMsg::ANCHOR_NOT_FOUND, "quote a value that begins with &"},
        {YAML::ErrorMsg::CHAR_IN_ANCHOR, "quote a value that begins with &"},
        {YAML::ErrorMsg::UNKNOWN_TOKEN,
         "not YAML; quote a value that begins with @, ` or another sign"},
        {YAML::ErrorMsg::INVALID_ESCAPE,
         "unknown escape in double quotes; write \\\\ for a backslash, or use single quotes"},
        {YAML::ErrorMsg::INVALID_UNICODE, "an escape that is not a Unicode character"},
        {YAML::ErrorMsg::INVALID_HEX, "an escape with characters that are no hex digits"},
        {YAML::ErrorMsg::MAP_VALUE,
         "not YAML: a second ':' in the line, or a wrong indentation; quote a value with ': ' in "
         "it"},
        {YAML::ErrorMsg::END_OF_MAP, "not YAML: a line without 'key: ', or a wrong indentation"},
        {YAML::ErrorMsg::END_OF_SEQ, "not YAML: a list item without '- ', or a wrong indentation"},
        {YAML::ErrorMsg::END_OF_MAP_FLOW, "not YAML: '}' or ',' expected"},
        {YAML::ErrorMsg::END_OF_SEQ_FLOW, "not YAML: ']' or ',' expected"},
        {YAML::ErrorMsg::EOF_IN_SCALAR, "not YAML: ends within quotes; one is missing above"},
        {YAML::ErrorMsg::DOC_IN_SCALAR, "not YAML: ends within quotes; one is missing above"},
        {YAML::ErrorMsg::YAML_VERSION, "a YAML version that is not supported"},
    };
    for (const Rule& rule : rules) {
        if (words.starts_with(rule.begins)) return std::string(rule.message);
    }
    return fmt::format("not YAML: {}", words);
}

/// Where a syntax error is; one behind the last line is at that line's end.
Place error_place(const std::shared_ptr<const SourceFile>& file, std::string_view text,
                  const YAML::Mark& mark) {
    Place place{file, static_cast<std::size_t>(std::max(mark.line, 0)) + 1,
                static_cast<std::size_t>(std::max(mark.column, 0)) + 1};
    if (text.ends_with('\n')) text.remove_suffix(1);
    const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
    if (place.line > lines) {
        const std::size_t last = text.rfind('\n') + 1;  // npos + 1 is 0
        place.line = lines;
        place.column = text.size() - last + 1;
    }
    return place;
}

/// YAML forbids tabs in indentation; yaml-cpp reads some of them as something else.
bool reject_tabs(const std::shared_ptr<const SourceFile>& file, std::string_view text,
                 Diagnostics& diagnostics) {
    std::size_t line = 1;
    bool found = false;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view content = text.substr(0, end);
        const std::size_t first = content.find_first_not_of(' ');
        if (first != std::string_view::npos && content[first] == '\t' &&
            content.find_first_not_of(" \t\r") != std::string_view::npos) {
            diagnostics.add({file, line, first + 1}, "", "a tab in the indentation; use spaces");
            found = true;
        }
        text.remove_prefix(std::min(end + 1, text.size()));
        ++line;
    }
    return found;
}

}  // namespace

const YamlEntry* YamlNode::find(std::string_view key) const {
    const auto found = std::ranges::find(entries, key, &YamlEntry::key);
    return found == entries.end() ? nullptr : &*found;
}

std::string join_key(std::string_view path, std::string_view key) {
    return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

std::optional<YamlNode> parse_yaml(const std::shared_ptr<const SourceFile>& file,
                                   const std::string& text, Diagnostics& diagnostics) {
    if (!base::is_utf8(text) || text.find('\0') != std::string::npos) {
        diagnostics.add({file, 1, 1}, "", "is not UTF-8 text");
        return std::nullopt;
    }
    if (reject_tabs(file, text, diagnostics)) return std::nullopt;
    Builder builder(file, diagnostics);
    try {
        // yaml-cpp lets a quoted scalar run to the end of the file, but not over the end of a
        // document.
        std::istringstream in(text + "\n...\n");
        YAML::Parser parser(in);
        while (parser.HandleNextDocument(builder)) {
        }
    } catch (const YAML::Exception& e) {
        diagnostics.add(error_place(file, text, e.mark), "", syntax_error(e.msg));
        return std::nullopt;
    } catch (const Abandoned&) {
        return std::nullopt;
    }
    std::optional<YamlNode> root = builder.take();
    if (!root || root->kind == YamlNode::Kind::null) {
        diagnostics.add({file, 1, 1}, "", "is empty; see outpost.yaml(5) for what to write");
        return std::nullopt;
    }
    if (root->kind != YamlNode::Kind::mapping) {
        diagnostics.add(root->place, "", "must begin with a key, such as `listen:`");
        return std::nullopt;
    }
    return root;
}

void merge_yaml(YamlNode& target, YamlNode addition, const std::string& path,
                Diagnostics& diagnostics) {
    for (YamlEntry& entry : addition.entries) {
        const auto there = std::ranges::find(target.entries, entry.key, &YamlEntry::key);
        if (there == target.entries.end()) {
            target.entries.push_back(std::move(entry));
        } else if (there->value.kind == YamlNode::Kind::mapping &&
                   entry.value.kind == YamlNode::Kind::mapping) {
            merge_yaml(there->value, std::move(entry.value), join_key(path, shown(entry.key)),
                       diagnostics);
        } else {
            report_twice(*there, entry, path, diagnostics);
        }
    }
}

}  // namespace outpost::config

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

#include "base/text.hpp"
#include "message/address_list.hpp"
#include "message/mime_decoding.hpp"
#include "message/mime_parts.hpp"

namespace outpost::message {

namespace {

using Kind = MimeObstacle::Kind;

/// Fields that have a place of their own in MimeContent, describe the MIME text as it was, are
/// trace, or are signatures and verdicts of it.
constexpr std::array elsewhere{
    std::string_view("from"),
    std::string_view("sender"),
    std::string_view("to"),
    std::string_view("cc"),
    std::string_view("bcc"),
    std::string_view("resent-bcc"),
    std::string_view("reply-to"),
    std::string_view("subject"),
    std::string_view("date"),
    std::string_view("message-id"),
    std::string_view("mime-version"),
    std::string_view("content-type"),
    std::string_view("content-transfer-encoding"),
    std::string_view("content-id"),
    std::string_view("content-disposition"),
    std::string_view("content-description"),
    std::string_view("content-length"),
    std::string_view("content-md5"),
    std::string_view("return-path"),
    std::string_view("delivered-to"),
    std::string_view("received"),
    std::string_view("received-spf"),
    std::string_view("dkim-signature"),
    std::string_view("domainkey-signature"),
    std::string_view("authentication-results"),
    std::string_view("arc-seal"),
    std::string_view("arc-message-signature"),
    std::string_view("arc-authentication-results"),
};

/// Unfolded, and a tab that was left of a fold is a space: JSON fields and names hold no tabs.
std::string on_one_line(std::string_view value) {
    std::string line = unfold(value);
    std::ranges::replace(line, '\t', ' ');
    return line;
}

MimeObstacle undecodable(std::string_view field) {
    return {Kind::encoding,
            fmt::format("field {} has an encoded word or octets that cannot be decoded to UTF-8",
                        field)};
}

/// The names of an address list, one a mailbox, encoded words and all. It must be one that
/// parse_address_list() takes, which looks at everything else. (GMime loses octets where one name
/// is in several encoded words of Base64.)
class NameReader {
  public:
    explicit NameReader(std::string_view value) : value_(value) {}

    std::vector<std::string> run() {
        while (at_ < value_.size()) take();
        end_element();
        return std::move(names_);
    }

    [[nodiscard]] bool groups() const noexcept { return groups_; }

  private:
    void take() {
        const char c = value_[at_++];
        switch (c) {
            case '"': quoted(phrase_); break;
            case '(': comment(); break;
            case '[':
                while (at_ < value_.size() && value_[at_] != ']') ++at_;
                phrase_ += '[';
                break;
            case '<': angle(); break;
            case ':':
                phrase_.clear();
                groups_ = true;
                break;
            case ',':
            case ';': end_element(); break;
            default: phrase_ += c;
        }
    }

    void quoted(std::string& into) {
        for (; at_ < value_.size() && value_[at_] != '"'; ++at_) {
            if (value_[at_] == '\\' && at_ + 1 < value_.size()) ++at_;
            into += value_[at_];
        }
        ++at_;
    }

    void angle() {
        angle_ = true;
        std::string local;
        while (at_ < value_.size() && value_[at_] != '>')
            if (value_[at_++] == '"') quoted(local);
        ++at_;
    }

    void comment() {
        comment_.clear();
        for (int depth = 1; at_ < value_.size(); ++at_) {
            if (value_[at_] == '\\' && at_ + 1 < value_.size()) {
                ++at_;
            } else if (value_[at_] == '(') {
                ++depth;
            } else if (value_[at_] == ')' && --depth == 0) {
                break;
            }
            comment_ += value_[at_];
        }
        ++at_;
    }

    /// A bare address may have its name in a comment (RFC 5322 section A.6.3).
    void end_element() {
        if (angle_)
            names_.emplace_back(base::trim(phrase_));
        else if (!base::trim(phrase_).empty())
            names_.emplace_back(base::trim(comment_));
        phrase_.clear();
        comment_.clear();
        angle_ = false;
    }

    std::string_view value_;
    std::size_t at_ = 0;
    std::string phrase_;
    std::string comment_;
    bool angle_ = false;
    bool groups_ = false;
    std::vector<std::string> names_;
};

/// The addresses of one kind of field, which may stand several times.
class AddressReader {
  public:
    std::optional<MimeObstacle> read(const HeaderField& field) {
        const auto obstacle = [&](std::string_view what) {
            return MimeObstacle{
                Kind::header, fmt::format("field {} cannot be said in JSON: {}", field.name, what)};
        };
        const std::string value = on_one_line(field.value);
        if (!base::is_utf8(value)) return undecodable(field.name);
        const auto mailboxes = parse_address_list(value);
        if (!mailboxes) return obstacle(mailboxes.error().text);
        NameReader reader(value);
        const auto names = reader.run();
        groups |= reader.groups();
        if (names.size() != mailboxes->size()) return obstacle("it is ambiguous");
        for (std::size_t i = 0; i < names.size(); ++i) {
            auto name = decode_words(names[i]);
            if (!name) return undecodable(field.name);
            if (has_control(*name)) return obstacle("it has control characters");
            found.push_back({std::move(*name), (*mailboxes)[i].address()});
        }
        return std::nullopt;
    }

    std::vector<NamedAddress> found;
    bool groups = false;
};

class FieldReader {
  public:
    FieldReader(const HeaderSection& header, MimeContent& content)
        : header_(header), content_(content) {}

    std::optional<MimeObstacle> run() {
        read_addresses("From", content_.from, 1);
        std::vector<NamedAddress> sender;
        read_addresses("Sender", sender, 1);
        if (!sender.empty()) content_.sender = std::move(sender.front());
        read_addresses("Reply-To", content_.reply_to, unlimited);
        read_addresses("To", content_.to, unlimited);
        read_addresses("Cc", content_.cc, unlimited);
        read_subject();
        if (const auto* field = header_.find(FieldKind::date))
            content_.date = on_one_line(field->value);
        read_message_id();
        read_others();
        return std::move(obstacle_);
    }

  private:
    static constexpr std::size_t unlimited = SIZE_MAX;

    void fail(MimeObstacle obstacle) {
        if (!obstacle_) obstacle_ = std::move(obstacle);
    }

    /// All fields of that name; those that say who wrote the message may stand once and name no
    /// group.
    void read_addresses(std::string_view name, std::vector<NamedAddress>& into, std::size_t most) {
        const bool visible = name == "To" || name == "Cc";
        AddressReader reader;
        std::size_t fields = 0;
        for (const HeaderField& field : header_.fields) {
            if (!base::iequals(field.name, name)) continue;
            ++fields;
            if (auto obstacle = reader.read(field)) return fail(std::move(*obstacle));
        }
        if (!visible && fields > 1)
            fail({Kind::header, fmt::format("field {} stands {} times", name, fields)});
        if (!visible && reader.groups)
            fail({Kind::header,
                  fmt::format("field {} names a group, which no JSON field can say", name)});
        if (reader.found.size() > most)
            fail({Kind::header, fmt::format("field {} has {} mailboxes, and JSON fields can say {}",
                                            name, reader.found.size(), most)});
        into = std::move(reader.found);
    }

    void read_subject() {
        if (header_.count(FieldKind::subject) > 1)
            return fail({Kind::header, "field Subject stands more than once"});
        const auto* field = header_.find(FieldKind::subject);
        if (field == nullptr) return;
        auto text = decode_words(on_one_line(field->value));
        if (!text) return fail(undecodable("Subject"));
        if (has_control(*text)) return fail({Kind::header, "field Subject has control characters"});
        content_.subject = std::move(*text);
    }

    void read_message_id() {
        const auto* field = header_.find(FieldKind::message_id);
        if (field == nullptr) return;
        std::string id = on_one_line(field->value);
        if (id.starts_with('<') && id.ends_with('>')) id = id.substr(1, id.size() - 2);
        content_.message_id = std::move(id);
    }

    void read_others() {
        for (const HeaderField& field : header_.fields) {
            if (std::ranges::any_of(elsewhere, [&](std::string_view name) {
                    return base::iequals(name, field.name);
                }))
                continue;
            std::string raw = on_one_line(field.value);
            auto text = decode_words(raw);
            // Encoded words are ASCII: they can go as they are.
            if (!text || has_control(*text)) text = std::move(raw);
            if (!base::is_utf8(*text)) return fail(undecodable(field.name));
            if (has_control(*text))
                return fail(
                    {Kind::header, fmt::format("field {} has control characters", field.name)});
            content_.headers.emplace_back(field.name, std::move(*text));
        }
    }

    const HeaderSection& header_;
    MimeContent& content_;
    std::optional<MimeObstacle> obstacle_;
};

}  // namespace

std::optional<MimeObstacle> read_fields(const HeaderSection& header, MimeContent& content) {
    return FieldReader(header, content).run();
}

}  // namespace outpost::message

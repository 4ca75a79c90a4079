#include "upstream/provider/api_recipients.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/text.hpp"
#include "config/domain_name.hpp"

namespace outpost::upstream::api {

namespace {

using Indices = std::vector<std::uint32_t>;

/// The form in which addresses compare: the local part as it is, the domain in its one form.
std::string compared(std::string_view address) {
    const auto at = address.rfind('@');
    if (at == std::string_view::npos) return std::string(address);
    const std::string_view domain = address.substr(at + 1);
    const auto canonical = config::canonical_domain(domain);
    return std::string(address.substr(0, at + 1)) +
           (canonical ? *canonical : base::to_lower(domain));
}

/// Who the header shows, with the name that stands there.
class Shown {
  public:
    explicit Shown(const message::MimeContent& content) {
        for (const auto& one : content.to) to_.try_emplace(compared(one.address), one.name);
        for (const auto& one : content.cc) cc_.try_emplace(compared(one.address), one.name);
    }
    [[nodiscard]] const std::string* in_to(const std::string& compared_address) const {
        return find(to_, compared_address);
    }
    [[nodiscard]] const std::string* in_cc(const std::string& compared_address) const {
        return find(cc_, compared_address);
    }

  private:
    using Names = std::unordered_map<std::string, std::string>;

    static const std::string* find(const Names& names, const std::string& address) {
        const auto found = names.find(address);
        return found == names.end() ? nullptr : &found->second;
    }

    Names to_;
    Names cc_;
};

/// Shares recipients out to calls that are not over a limit.
class Splitter {
  public:
    Splitter(const message::MimeContent& content, std::span<const std::string> recipients,
             const RecipientLimits& limits)
        : limits_(limits) {
        const Shown shown(content);
        std::unordered_map<std::string, std::string> spelled;  // as first met, by lower case
        for (std::uint32_t i = 0; i < recipients.size(); ++i) {
            const std::string address = compared(recipients[i]);
            const auto first = spelled.try_emplace(base::to_lower(address), address).first;
            if (first->second != address) {
                apart_.push_back(i);
                continue;
            }
            (shown.in_to(address) ? to_ : shown.in_cc(address) ? cc_ : blind_).push_back(i);
        }
    }

    std::vector<Indices> run() {
        share_out_shown();
        const auto rest = share_out_blind();
        for (std::size_t i = rest; i < blind_.size(); ++i) calls_.push_back({blind_[i]});
        for (const auto i : apart_) calls_.push_back({i});
        for (Indices& call : calls_) std::ranges::sort(call);
        return std::move(calls_);
    }

  private:
    /// Those who are seen, as many together as can be: they are to see each other.
    void share_out_shown() {
        const std::size_t total = std::max<std::size_t>(limits_.total, 1);
        const std::size_t most_to = std::clamp<std::size_t>(limits_.to, 1, total);
        std::size_t to = 0;
        std::size_t cc = 0;
        while (to < to_.size() || cc < cc_.size()) {
            Indices call;
            while (to < to_.size() && call.size() < most_to) call.push_back(to_[to++]);
            // Without To, the first of Cc stands there.
            const bool promoted = call.empty();
            if (promoted) call.push_back(cc_[cc++]);
            for (std::size_t k = 0; cc < cc_.size() && k < limits_.cc && call.size() < total; ++k)
                call.push_back(cc_[cc++]);
            calls_.push_back(std::move(call));
        }
    }

    /// How many blind ones went along with those who are seen.
    std::size_t share_out_blind() {
        const std::size_t total = std::max<std::size_t>(limits_.total, 1);
        std::size_t next = 0;
        for (Indices& call : calls_)
            for (std::size_t k = 0; next < blind_.size() && k < limits_.bcc && call.size() < total;
                 ++k)
                call.push_back(blind_[next++]);
        return next;
    }

    const RecipientLimits& limits_;
    Indices to_;
    Indices cc_;
    Indices blind_;
    Indices apart_;  ///< differ in case alone from one before
    std::vector<Indices> calls_;
};

std::vector<Indices> in_order(std::size_t count, std::size_t most) {
    std::vector<Indices> calls;
    for (std::uint32_t i = 0; i < count; ++i) {
        if (calls.empty() || calls.back().size() >= std::max<std::size_t>(most, 1))
            calls.emplace_back();
        calls.back().push_back(i);
    }
    return calls;
}

}  // namespace

Addressed addressed(const message::MimeContent& content, std::span<const std::string> recipients) {
    const Shown shown(content);
    Addressed result;
    std::unordered_set<std::string> seen;
    for (const std::string& recipient : recipients) {
        const std::string address = compared(recipient);
        if (!seen.insert(address).second) continue;
        if (const auto* name = shown.in_to(address))
            result.to.push_back({*name, recipient});
        else if (const auto* cc_name = shown.in_cc(address))
            result.cc.push_back({*cc_name, recipient});
        else
            result.bcc.push_back({{}, recipient});
    }
    if (!result.to.empty()) return result;
    auto& first = result.cc.empty() ? result.bcc : result.cc;
    if (first.empty()) return result;
    result.to.push_back(std::move(first.front()));
    first.erase(first.begin());
    return result;
}

std::vector<Indices> split(const message::MimeContent* content,
                           std::span<const std::string> recipients, const RecipientLimits& limits) {
    if (content == nullptr) return in_order(recipients.size(), limits.total);
    return Splitter(*content, recipients, limits).run();
}

}  // namespace outpost::upstream::api

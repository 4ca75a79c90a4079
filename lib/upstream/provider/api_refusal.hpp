#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "upstream/provider/provider.hpp"

/// Which recipients an answer speaks of, for APIs that take or refuse a call as a whole.
namespace outpost::upstream::api {

/// The recipients of a call that an answer names: true for each that is named.
class Named {
  public:
    explicit Named(const ApiMessage& message)
        : message_(message), named_(message.recipients.size()) {}

    /// By its place in the request: `to`, `cc` or `bcc` (in any case) and the index there, as
    /// addressed() put them. False if there is none.
    bool add(std::string_view list, std::size_t index);
    /// By its path in the request, the list and the index somewhere in it: `to.0.email`,
    /// `personalizations.0.to.2.email`, `To[0].Email`. False if it is no such path.
    bool add_path(std::string_view path);
    /// By its address, in any case. False if it is nobody of the call.
    bool add_address(std::string_view address);
    /// All whose address stands somewhere in the words, in any case and as a whole.
    void add_mentioned(std::string_view words);

    [[nodiscard]] bool any() const noexcept;
    [[nodiscard]] bool has(std::size_t index) const { return named_[index]; }

  private:
    const ApiMessage& message_;
    std::vector<bool> named_;
};

/// The call was refused because of the recipients that are named: they are `refused`, and the
/// others, who got nothing either, are to be tried again alone. If nobody is named, for_one_of.
[[nodiscard]] std::vector<Outcome> refused_for(const Named& named, const ApiMessage& message,
                                               const Outcome& refused);
/// The call was taken but for the recipients that are named.
[[nodiscard]] std::vector<Outcome> taken_but_for(const Named& named, const ApiMessage& message,
                                                 const Outcome& taken, const Outcome& refused);

/// The words with `?` for each address, whose parts could be taken for words: `sender@example.net`.
[[nodiscard]] std::string without_addresses(std::string_view words);

/// `2024-01-02T00:00:00Z`; nothing if it is none.
[[nodiscard]] std::optional<base::WallTime> iso_time(std::string_view text);

}  // namespace outpost::upstream::api

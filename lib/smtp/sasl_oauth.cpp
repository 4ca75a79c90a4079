#include "smtp/sasl_oauth.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace outpost::smtp {

namespace {

constexpr std::string_view oauthbearer = "OAUTHBEARER";
constexpr std::string_view xoauth2 = "XOAUTH2";

/// saslname of RFC 5801 section 4.
std::string sasl_name(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == ',')
            out += "=2C";
        else if (c == '=')
            out += "=3D";
        else
            out += c;
    }
    return out;
}

class BearerClient final : public SaslClient {
  public:
    explicit BearerClient(BearerLogin login) : login_(std::move(login)) {}

    std::expected<Start, std::string> start(const std::vector<std::string>& offered) override {
        const auto has = [&](std::string_view name) {
            return std::ranges::find(offered, name) != offered.end();
        };
        if (!login_.encrypted)
            return std::unexpected("a token is not sent over a connection that is not encrypted");
        if (has(oauthbearer)) {
            refused_ = "\x01";
            return Start{std::string(oauthbearer),
                         fmt::format("n,a={},\x01host={}\x01port={}\x01{}",
                                     sasl_name(login_.username), login_.host, login_.port, auth())};
        }
        if (has(xoauth2))
            return Start{std::string(xoauth2),
                         fmt::format("user={}\x01{}", login_.username, auth())};
        return std::unexpected("the server offers neither OAUTHBEARER nor XOAUTH2");
    }

    /// The one challenge there is says why the token is refused. It has to be answered before the
    /// server says so in a reply (RFC 7628 section 3.2.3).
    std::expected<std::string, std::string> step(std::string_view) override {
        if (std::exchange(answered_, true))
            return std::unexpected("the server asks on after it has refused the token");
        return refused_;
    }

  private:
    [[nodiscard]] std::string auth() const {
        return fmt::format("auth=Bearer {}\x01\x01", login_.token.reveal());
    }

    BearerLogin login_;
    std::string refused_;
    bool answered_ = false;
};

}  // namespace

std::unique_ptr<SaslClient> make_bearer_client(BearerLogin login) {
    return std::make_unique<BearerClient>(std::move(login));
}

}  // namespace outpost::smtp

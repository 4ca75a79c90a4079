#include "account/sasl_client.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sasl/sasl.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

#include "account/sasl_callbacks.hpp"
#include "account/sasl_library.hpp"
#include "base/text.hpp"

namespace outpost::account {
namespace {

struct Mechanism {
    std::string_view name;
    bool sends_password;
};

/// Best first. CRAM-MD5 is weak, but does not send the password; LOGIN is PLAIN in other words.
constexpr std::array mechanisms{
    Mechanism{"SCRAM-SHA-256", false}, Mechanism{"SCRAM-SHA-1", false}, Mechanism{"PLAIN", true},
    Mechanism{"LOGIN", true},          Mechanism{"CRAM-MD5", false},
};

/// The password as libsasl2 wants it: a length and octets in one block.
class SaslSecret {
  public:
    explicit SaslSecret(std::string_view password)
        : size_(sizeof(sasl_secret_t) + password.size()),
          secret_(static_cast<sasl_secret_t*>(std::calloc(1, size_))) {
        if (secret_ == nullptr) throw std::bad_alloc();
        secret_->len = password.size();
        std::ranges::copy(password, secret_->data);
    }
    ~SaslSecret() {
        explicit_bzero(secret_, size_);
        std::free(secret_);
    }
    SaslSecret(const SaslSecret&) = delete;
    SaslSecret& operator=(const SaslSecret&) = delete;
    [[nodiscard]] sasl_secret_t* get() const noexcept { return secret_; }

  private:
    std::size_t size_;
    sasl_secret_t* secret_;
};

struct Login {
    std::string name;
    SaslSecret secret;
};

/// SASL_CB_AUTHNAME is the name; SASL_CB_USER, whom to act as, stays empty.
int give_name(void* login, int id, const char** result, unsigned* size) {
    const std::string_view name =
        id == SASL_CB_AUTHNAME ? std::string_view(static_cast<Login*>(login)->name) : "";
    *result = name.data();
    if (size != nullptr) *size = static_cast<unsigned>(name.size());
    return SASL_OK;
}

int give_secret(sasl_conn_t*, void* login, int, sasl_secret_t** secret) {
    *secret = static_cast<Login*>(login)->secret.get();
    return SASL_OK;
}

bool offers(const std::vector<std::string>& offered, std::string_view name) {
    return std::ranges::any_of(offered,
                               [name](const std::string& o) { return base::iequals(o, name); });
}

class LibraryClient final : public smtp::SaslClient {
  public:
    LibraryClient(const std::string& username, const base::Secret& password, std::string host,
                  bool encrypted)
        : login_{username, SaslSecret(password.reveal())},
          host_(std::move(host)),
          encrypted_(encrypted) {
        prepare_sasl();
    }
    ~LibraryClient() override { sasl_dispose(&sasl_); }
    LibraryClient(const LibraryClient&) = delete;
    LibraryClient& operator=(const LibraryClient&) = delete;

    std::expected<Start, std::string> start(const std::vector<std::string>& offered) override {
        const auto best = std::ranges::find_if(mechanisms, [&](const Mechanism& m) {
            return (encrypted_ || !m.sends_password) && offers(offered, m.name);
        });
        if (best == mechanisms.end()) return std::unexpected(why_none(offered));
        return begin(std::string(best->name));
    }

    std::expected<std::string, std::string> step(std::string_view challenge) override {
        if (sasl_ == nullptr || done_) return std::unexpected("the server went on after the end");
        const std::string given(challenge);
        const char* octets = nullptr;
        unsigned size = 0;
        const int result = sasl_client_step(
            sasl_, given.data(), static_cast<unsigned>(given.size()), nullptr, &octets, &size);
        if (result != SASL_OK && result != SASL_CONTINUE) return std::unexpected(words(result));
        done_ = result == SASL_OK;
        return octets == nullptr ? std::string{} : std::string(octets, size);
    }

  private:
    std::expected<Start, std::string> begin(const std::string& mechanism) {
        sasl_dispose(&sasl_);
        const sasl_security_properties_t properties{0, 0, 0, 0, nullptr, nullptr};
        int result =
            sasl_client_new("smtp", host_.c_str(), nullptr, nullptr, callbacks_, 0, &sasl_);
        if (result == SASL_OK) result = sasl_setprop(sasl_, SASL_SEC_PROPS, &properties);
        const char* octets = nullptr;
        const char* chosen = nullptr;
        unsigned size = 0;
        if (result == SASL_OK) {
            result = sasl_client_start(sasl_, mechanism.c_str(), nullptr, &octets, &size, &chosen);
        }
        if (result != SASL_OK && result != SASL_CONTINUE) {
            return std::unexpected(fmt::format("{}: {}", mechanism, words(result)));
        }
        done_ = result == SASL_OK;
        Start start{mechanism, std::nullopt};
        if (octets != nullptr) start.initial_response = std::string(octets, size);
        return start;
    }

    [[nodiscard]] std::string why_none(const std::vector<std::string>& offered) const {
        if (offered.empty()) return "the server offers no AUTH mechanism";
        std::string list = base::printable(fmt::format("{}", fmt::join(offered, " ")), 200);
        if (!encrypted_ && (offers(offered, "PLAIN") || offers(offered, "LOGIN"))) {
            return fmt::format(
                "the server offers {}, which would send the password over a connection that is not "
                "encrypted; set encryption to starttls or tls",
                list);
        }
        return fmt::format("the server offers {}, none of which is supported", list);
    }

    /// Not sasl_errdetail(), whose words come from modules and might repeat what they were given.
    static std::string words(int result) {
        if (result == SASL_BADSERV) return "the server's proof of the password is wrong";
        return fmt::format("SASL: {}", sasl_errstring(result, nullptr, nullptr));
    }

    Login login_;
    std::string host_;
    bool encrypted_;
    bool done_ = false;
    const sasl_callback_t callbacks_[4] = {
        {SASL_CB_AUTHNAME, untyped(give_name), &login_},
        {SASL_CB_USER, untyped(give_name), &login_},
        {SASL_CB_PASS, untyped(give_secret), &login_},
        {SASL_CB_LIST_END, nullptr, nullptr},
    };
    sasl_conn_t* sasl_ = nullptr;
};

}  // namespace

std::unique_ptr<smtp::SaslClient> make_sasl_client(const std::string& username,
                                                   const base::Secret& password,
                                                   const std::string& host, bool encrypted) {
    return std::make_unique<LibraryClient>(username, password, host, encrypted);
}

}  // namespace outpost::account

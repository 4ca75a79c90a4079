#include <algorithm>

#include "base/log.hpp"
#include "net/proxy_header.hpp"
#include "submission/session.hpp"
#include "submission/wording.hpp"

namespace outpost::submission {

namespace asio = boost::asio;

namespace {

/// A load balancer sends its header at once.
constexpr std::chrono::milliseconds proxy_timeout{10'000};

config::IpAddress to_address(const asio::ip::address& address) {
    config::IpAddress result;
    if (address.is_v6()) {
        result.octets = address.to_v6().to_bytes();
    } else {
        result.octets = asio::ip::make_address_v6(asio::ip::v4_mapped, address.to_v4()).to_bytes();
    }
    return result;
}

/// How many more octets are part of the PROXY header for certain, given its beginning. Not one more
/// may be read: what follows can be a TLS handshake, which wants its octets from the socket.
std::size_t surely_missing(std::string_view begun) {
    constexpr std::string_view shortest_text = "PROXY UNKNOWN\r\n";
    constexpr std::size_t fixed_binary = 16;
    if (begun.size() < shortest_text.size()) return shortest_text.size() - begun.size();
    if (begun.starts_with("PROXY")) return begun.ends_with('\r') ? 1 : 2;
    if (begun.size() < fixed_binary) return fixed_binary - begun.size();
    const auto octet = [&](std::size_t at) {
        return std::size_t{static_cast<unsigned char>(begun[at])};
    };
    const std::size_t whole = fixed_binary + octet(14) * 256 + octet(15);
    return std::max<std::size_t>(1, whole - std::min(whole, begun.size()));
}

}  // namespace

Session::awaitable<bool> Session::open() {
    client_.address = to_address(wire_.stream().remote().address());
    if (const bool admitted = co_await admit(); !admitted) co_return false;
    if (environment_.listener->tls == config::ListenerTls::implicit) {
        if (const bool encrypted = co_await encrypt(); !encrypted) co_return false;
    }
    if (stopping_) {
        turn_away(wording::shutting_down);
        co_return false;
    }
    if (environment_.listener->trusted_account) {
        if (!sign_in_trusted()) co_return false;
    } else if (services_.authenticator.address_throttled(client_.address)) {
        base::log::debug("connection refused: too many failed logins",
                         {{"client", client_.address_text}});
        counts::refused(counts::Refused::failed_logins);
        turn_away(wording::auth_failure(account::AuthFailure::address_throttled));
        co_return false;
    }
    wire_.say(environment_.terms->greeting.banner());
    co_return true;
}

Session::awaitable<bool> Session::admit() {
    auto ticket = services_.admission->admit();
    if (ticket && environment_.listener->proxy_protocol) {
        const bool read = co_await read_proxy_header();
        if (!read) co_return false;
    }
    client_.address_text = client_.address.text();
    std::string_view refusal;
    auto why = counts::Refused::too_many_connections;
    if (!ticket) {
        refusal = wording::too_many_connections;
    } else if (!ticket->claim(client_.address)) {
        refusal = wording::too_many_from_address;
        why = counts::Refused::too_many_from_address;
    }
    if (refusal.empty()) {
        ticket_ = std::move(*ticket);
        co_return true;
    }
    counts::refused(why);
    base::log::info("connection refused", {{"client", client_.address_text}, {"reply", refusal}});
    // A handshake to say so would cost more than the connection is worth.
    if (environment_.listener->tls == config::ListenerTls::implicit) {
        broken_ = true;
    } else {
        wire_.say(refusal);
    }
    co_return false;
}

Session::awaitable<bool> Session::read_proxy_header() {
    wire_.stream().expires_after(
        std::min<config::Duration>(services_.limits.idle_timeout, proxy_timeout));
    for (;;) {
        auto filled = co_await wire_.fill_exactly(surely_missing(wire_.input().data()));
        if (!filled) {
            broken_ = true;
            co_return false;
        }
        const auto result = net::parse_proxy_header(wire_.input().data());
        if (const auto* error = std::get_if<net::ProxyError>(&result)) {
            counts::refused(counts::Refused::no_proxy_header);
            base::log::warning("connection refused: no PROXY header",
                               {{"client", client_.address.text()}, {"reason", error->reason}});
            broken_ = true;
            co_return false;
        }
        const auto* header = std::get_if<net::ProxyHeader>(&result);
        if (!header) continue;
        wire_.input().consume(header->consumed);
        if (header->has_addresses())
            if (const auto source = config::IpAddress::parse(header->source.address))
                client_.address = *source;
        co_return true;
    }
}

Session::awaitable<bool> Session::encrypt() {
    net::Stream& stream = wire_.stream();
    stream.expires_after(services_.limits.idle_timeout);
    auto done = co_await stream.handshake(services_.tls);
    if (!done) {
        counts::handshake_failed();
        base::log::debug("TLS handshake failed",
                         {{"client", client_.address_text}, {"reason", done.error().text}});
        broken_ = true;
        co_return false;
    }
    client_.tls = true;
    client_.tls_text = stream.cipher();
    counts::encrypted(client_.tls_text);
    if (const auto space = client_.tls_text.find(' '); space != std::string::npos)
        client_.tls_text.replace(space, 1, " with cipher ");
    co_return true;
}

bool Session::sign_in_trusted() {
    accounts_ = services_.authenticator.generation();
    client_.account =
        services_.authenticator.directory()->find(*environment_.listener->trusted_account);
    if (client_.account) {
        machine_.set_limits(client_.account->max_message_size, client_.account->max_recipients);
        return true;
    }
    counts::refused(counts::Refused::no_account);
    base::log::error("trusted_account names no account",
                     {{"account", *environment_.listener->trusted_account}});
    turn_away(wording::no_trusted_account);
    return false;
}

}  // namespace outpost::submission

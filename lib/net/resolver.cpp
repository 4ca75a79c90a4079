#include "net/resolver.hpp"

#include <ares.h>
#include <ares_nameser.h>
#include <netinet/in.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>

namespace outpost::net {

namespace {

namespace asio = boost::asio;
using std::chrono::seconds;

constexpr seconds longest_kept{300};
constexpr seconds shortest_kept{5};

template <class Answer>
struct Looked {
    std::expected<Answer, LookupFailure> answer = std::unexpected(LookupFailure{});
    seconds time_to_live = shortest_kept;
};

struct Channel {
    ares_channel channel = nullptr;
    int status = ARES_SUCCESS;

    explicit Channel(const std::string& servers) {
        static const int library = ares_library_init(ARES_LIB_INIT_ALL);
        ares_options options{};
        options.timeout = 3000;
        options.tries = 3;
        status = library != ARES_SUCCESS
                     ? library
                     : ares_init_options(&channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
        if (status == ARES_SUCCESS && !servers.empty())
            status = ares_set_servers_ports_csv(channel, servers.c_str());
    }
    ~Channel() {
        if (channel != nullptr) ares_destroy(channel);
    }
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;

    /// Serves the channel's sockets until every query has called back.
    void run() {
        for (;;) {
            std::array<ares_socket_t, ARES_GETSOCK_MAXNUM> sockets{};
            const int bits = ares_getsock(channel, sockets.data(), sockets.size());
            std::array<pollfd, ARES_GETSOCK_MAXNUM> polled{};
            nfds_t count = 0;
            for (std::size_t i = 0; i < sockets.size(); ++i) {
                short events = 0;
                if (ARES_GETSOCK_READABLE(static_cast<unsigned>(bits), i)) events |= POLLIN;
                if (ARES_GETSOCK_WRITABLE(static_cast<unsigned>(bits), i)) events |= POLLOUT;
                if (events != 0) polled[count++] = {sockets[i], events, 0};
            }
            if (count == 0) return;
            timeval limit{};
            const timeval* wait = ares_timeout(channel, nullptr, &limit);
            poll(polled.data(), count,
                 static_cast<int>(wait->tv_sec * 1000 + wait->tv_usec / 1000 + 1));
            for (nfds_t i = 0; i < count; ++i) {
                const auto ready = polled[i].revents;
                ares_process_fd(
                    channel, ready & (POLLIN | POLLERR | POLLHUP) ? polled[i].fd : ARES_SOCKET_BAD,
                    ready & POLLOUT ? polled[i].fd : ARES_SOCKET_BAD);
            }
        }
    }
};

LookupFailure describe(int status, const char* what, const std::string& name) {
    if (status == ARES_ENOTFOUND || status == ARES_ENODATA)
        return {true, std::string("no ") + what + " found for " + name};
    return {false,
            std::string("looking up ") + what + " of " + name + ": " + ares_strerror(status)};
}

Looked<std::vector<Mx>> query_mx(const std::string& domain, const std::string& servers) {
    Looked<std::vector<Mx>> looked;
    Channel channel(servers);
    if (channel.status != ARES_SUCCESS) {
        looked.answer = std::unexpected(describe(channel.status, "MX records", domain));
        return looked;
    }
    struct Context {
        Looked<std::vector<Mx>>& looked;
        const std::string& domain;
    } context{looked, domain};
    ares_query(
        channel.channel, domain.c_str(), ns_c_in, ns_t_mx,
        [](void* arg, int status, int, unsigned char* octets, int length) {
            auto& [result, name] = *static_cast<Context*>(arg);
            ares_mx_reply* list = nullptr;
            if (status == ARES_SUCCESS) status = ares_parse_mx_reply(octets, length, &list);
            // No MX records is an answer; whether the host exists is for addresses() to say.
            if (status == ARES_ENODATA || status == ARES_ENOTFOUND) {
                result.answer = std::vector<Mx>{};
            } else if (status != ARES_SUCCESS) {
                result.answer = std::unexpected(describe(status, "MX records", name));
            } else {
                std::vector<Mx> found;
                for (auto* mx = list; mx != nullptr; mx = mx->next)
                    found.push_back({mx->priority, mx->host});
                ares_free_data(list);
                std::ranges::sort(found, {}, &Mx::preference);
                result.answer = std::move(found);
                result.time_to_live = longest_kept;
            }
        },
        &context);
    channel.run();
    return looked;
}

Looked<std::vector<asio::ip::address>> query_addresses(const std::string& host,
                                                       const std::string& servers) {
    Looked<std::vector<asio::ip::address>> looked;
    Channel channel(servers);
    if (channel.status != ARES_SUCCESS) {
        looked.answer = std::unexpected(describe(channel.status, "address", host));
        return looked;
    }
    struct Context {
        Looked<std::vector<asio::ip::address>>& looked;
        const std::string& host;
    } context{looked, host};
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    ares_getaddrinfo(
        channel.channel, host.c_str(), nullptr, &hints,
        [](void* arg, int status, int, ares_addrinfo* info) {
            auto& [result, name] = *static_cast<Context*>(arg);
            std::vector<asio::ip::address> found;
            seconds ttl = longest_kept;
            for (auto* node = info != nullptr ? info->nodes : nullptr; node != nullptr;
                 node = node->ai_next) {
                if (node->ai_family == AF_INET) {
                    const auto* in = reinterpret_cast<const sockaddr_in*>(node->ai_addr);
                    found.emplace_back(asio::ip::address_v4(ntohl(in->sin_addr.s_addr)));
                } else if (node->ai_family == AF_INET6) {
                    const auto* in = reinterpret_cast<const sockaddr_in6*>(node->ai_addr);
                    asio::ip::address_v6::bytes_type bytes;
                    std::copy_n(in->sin6_addr.s6_addr, bytes.size(), bytes.begin());
                    found.emplace_back(asio::ip::address_v6(bytes, in->sin6_scope_id));
                }
                ttl = std::min(ttl, seconds(node->ai_ttl));
            }
            if (info != nullptr) ares_freeaddrinfo(info);
            if (status == ARES_SUCCESS && found.empty()) status = ARES_ENODATA;
            if (status != ARES_SUCCESS) {
                result.answer = std::unexpected(describe(status, "address", name));
                return;
            }
            result.answer = std::move(found);
            result.time_to_live = std::max(ttl, shortest_kept);
        },
        &context);
    channel.run();
    return looked;
}

}  // namespace

asio::awaitable<std::expected<std::vector<Mx>, LookupFailure>> Resolver::mx(std::string domain) {
    const auto now = std::chrono::steady_clock::now();
    {
        const std::lock_guard lock(mutex_);
        if (const auto it = mx_.find(domain); it != mx_.end() && it->second.until > now)
            co_return it->second.answer;
    }
    auto looked =
        co_await pool_.run([domain, servers = servers_] { return query_mx(domain, servers); });
    if (!looked) co_return std::unexpected(LookupFailure{false, "too many lookups wait already"});
    if (looked->answer) {
        const std::lock_guard lock(mutex_);
        mx_.insert_or_assign(domain,
                             Kept<std::vector<Mx>>{*looked->answer, now + looked->time_to_live});
    }
    co_return std::move(looked->answer);
}

asio::awaitable<std::expected<std::vector<asio::ip::address>, LookupFailure>> Resolver::addresses(
    std::string host) {
    boost::system::error_code not_an_address;
    const auto literal = asio::ip::make_address(host, not_an_address);
    if (!not_an_address) co_return std::vector{literal};
    const auto now = std::chrono::steady_clock::now();
    {
        const std::lock_guard lock(mutex_);
        if (const auto it = addresses_.find(host); it != addresses_.end() && it->second.until > now)
            co_return it->second.answer;
    }
    auto looked =
        co_await pool_.run([host, servers = servers_] { return query_addresses(host, servers); });
    if (!looked) co_return std::unexpected(LookupFailure{false, "too many lookups wait already"});
    if (looked->answer) {
        const std::lock_guard lock(mutex_);
        addresses_.insert_or_assign(host, Kept<std::vector<asio::ip::address>>{
                                              *looked->answer, now + looked->time_to_live});
    }
    co_return std::move(looked->answer);
}

}  // namespace outpost::net

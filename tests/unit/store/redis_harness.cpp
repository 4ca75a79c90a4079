#include "redis_harness.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <future>
#include <list>

namespace outpost::store {

namespace {

using namespace std::chrono_literals;

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

int bound_socket() {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(0);
    EXPECT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return fd;
}

std::uint16_t port_of(int fd) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
}

int connected_socket(std::uint16_t port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(port);
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
    close(fd);
    return -1;
}

template <class Condition>
void wait_until(const char* what, Condition condition) {
    const auto end = std::chrono::steady_clock::now() + 60s;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) {
            ADD_FAILURE() << "waited a minute for " << what;
            return;
        }
        std::this_thread::sleep_for(2ms);
    }
}

}  // namespace

RedisServer::RedisServer(std::string password) : password_(std::move(password)) {
    std::string pattern = (std::filesystem::temp_directory_path() / "outpost-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    const int fd = bound_socket();
    port_ = port_of(fd);
    close(fd);
    start();
}

RedisServer::~RedisServer() {
    kill();
    std::filesystem::remove_all(directory_);
}

void RedisServer::start() {
    std::vector<std::string> words{
        "redis-server", "--port",    std::to_string(port_), "--bind",      "127.0.0.1",
        "--save",       "",          "--appendonly",        "no",          "--dir",
        directory_,     "--logfile", directory_ / "log",    "--daemonize", "no"};
    if (!password_.empty()) words.insert(words.end(), {"--requirepass", password_});
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
        execvp(arguments[0], arguments.data());
        _exit(127);
    }
    wait_until("redis-server", [this] {
        const int fd = connected_socket(port_);
        if (fd >= 0) close(fd);
        return fd >= 0;
    });
}

void RedisServer::kill() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
}

void RedisServer::pause() const {
    ::kill(pid_, SIGSTOP);
}
void RedisServer::resume() const {
    ::kill(pid_, SIGCONT);
}

struct Proxy::Pair {
    int client;
    int server;
    unsigned answered = 0;
};

Proxy::Proxy(std::uint16_t to) : to_(to), listener_(bound_socket()) {
    port_ = port_of(listener_);
    listen(listener_, 16);
    thread_ = std::thread([this] { run(); });
}

Proxy::~Proxy() {
    ending_ = true;
    thread_.join();
    close(listener_);
}

bool Proxy::forward(Pair& pair, bool answers) {
    std::array<char, 65536> octets{};
    const ssize_t got =
        recv(answers ? pair.server : pair.client, octets.data(), octets.size(), MSG_DONTWAIT);
    if (got < 0) return errno == EAGAIN;
    if (got == 0) return false;
    // The first few are those of connecting.
    if (answers && ++pair.answered > 4 && every_ != 0 && ++answers_ % every_ == 0) {
        ++lost_;
        return false;
    }
    return send(answers ? pair.client : pair.server, octets.data(), static_cast<std::size_t>(got),
                MSG_NOSIGNAL) == got;
}

void Proxy::run() {
    std::list<Pair> pairs;
    while (!ending_) {
        std::vector<pollfd> waiting{{listener_, POLLIN, 0}};
        for (const Pair& pair : pairs) {
            waiting.push_back({pair.client, POLLIN, 0});
            waiting.push_back({pair.server, POLLIN, 0});
        }
        poll(waiting.data(), waiting.size(), 5);
        if ((waiting[0].revents & POLLIN) != 0) {
            const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            const int server = cut_ ? -1 : connected_socket(to_);
            if (server >= 0)
                pairs.push_back({client, server});
            else
                close(client);
        }
        for (auto pair = pairs.begin(); pair != pairs.end();) {
            if (!cut_ && forward(*pair, false) && forward(*pair, true)) {
                ++pair;
                continue;
            }
            close(pair->client);
            close(pair->server);
            pair = pairs.erase(pair);
        }
    }
    for (const Pair& pair : pairs) {
        close(pair.client);
        close(pair.server);
    }
}

std::uint64_t Observer::worst(std::chrono::milliseconds period) const {
    const std::lock_guard lock(mutex_);
    std::uint64_t most = 0;
    std::uint64_t within = 0;
    std::size_t first = 0;
    for (const Seen& last : seen_) {
        within += last.count;
        while (last.at - seen_[first].at >= period) within -= seen_[first++].count;
        most = std::max(most, within);
    }
    return most;
}

std::uint64_t Observer::total() const {
    const std::lock_guard lock(mutex_);
    std::uint64_t all = 0;
    for (const Seen& seen : seen_) all += seen.count;
    return all;
}

void Observer::wait_for(std::uint64_t goal) const {
    wait_until("permits to be used", [&] { return total() >= goal; });
}

Eater::Eater(NodeOptions options, limit::Limits limits, std::uint64_t block, Observer& observer)
    : limits_(std::move(limits)), observer_(observer) {
    store_ = std::make_unique<RedisLeaseStore>(options, options.memory, clock_,
                                               [this](bool away, const std::string& text) {
                                                   away_ = away;
                                                   const std::lock_guard lock(mutex_);
                                                   words_.push_back(text);
                                               });
    thread_ = std::thread([this, block] { run("upstream/shared", block); });
}

void Eater::stop() {
    ending_ = true;
    if (thread_.joinable()) thread_.join();
    store_.reset();
}

void Eater::kill() {
    killed_ = true;
    ending_ = true;
    thread_.join();
    store_->drop();
    store_.reset();
}

std::vector<std::string> Eater::words() const {
    const std::lock_guard lock(mutex_);
    return words_;
}

limit::LeaseAnswer Eater::ask(const std::string& key, std::uint64_t want) {
    const std::uint64_t used = used_;
    limit::LeaseRequest request;
    request.key = key;
    request.limits = limits_;
    request.taken = request.used = {used, used, used};
    request.want = {want, want, want};
    auto answered = std::make_shared<std::promise<limit::LeaseAnswer>>();
    auto answer = answered->get_future();
    store_->lease(std::move(request),
                  [answered](const limit::LeaseAnswer& given) { answered->set_value(given); });
    return answer.get();
}

void Eater::run(const std::string& key, std::uint64_t block) {
    std::uint64_t granted = 0;
    while (!ending_) {
        const std::uint64_t used = used_;
        const limit::LeaseAnswer answer = ask(key, block);
        granted = std::max(granted, used + answer.allowance.recipients);
        if (granted > used) {
            observer_.saw(granted - used);
            used_ = granted;
        }
        if (answer.ask_again) {
            const auto wait = *answer.ask_again - clock_.wall();
            std::this_thread::sleep_for(std::clamp<base::WallTime::duration>(wait, 1ms, 50ms));
        }
    }
    if (!killed_) ask(key, 0);  // the final state
}

void Eater::wait_for_more(std::uint64_t more) const {
    const std::uint64_t goal = used_ + more;
    wait_until("a node to use permits", [&] { return used_ >= goal; });
}

void Eater::wait_for_away(bool away) const {
    wait_until(away ? "Redis to be missed" : "Redis to be found", [&] { return away_ == away; });
}

void Eater::wait_for_words(const std::string& part) const {
    wait_until("a node to speak", [&] {
        return std::ranges::any_of(words(),
                                   [&](const std::string& each) { return each.contains(part); });
    });
}

Hand::Hand(NodeOptions options, limit::Limits limits) : limits_(std::move(limits)) {
    store_ = std::make_unique<RedisLeaseStore>(
        options, options.memory, clock_, [this](bool away, const std::string&) { away_ = away; });
}

void Hand::ask(std::uint64_t want) {
    limit::LeaseRequest request;
    request.key = "upstream/shared";
    request.limits = limits_;
    request.taken = request.used = {used_, used_, used_};
    request.want = {want, want, want};
    auto answered = std::make_shared<std::promise<limit::LeaseAnswer>>();
    auto answer = answered->get_future();
    store_->lease(std::move(request),
                  [answered](const limit::LeaseAnswer& given) { answered->set_value(given); });
    answer_ = answer.get();
}

std::uint64_t Hand::take(std::uint64_t want) {
    ask(want);
    used_ += answer_.allowance.recipients;
    return answer_.allowance.recipients;
}

std::uint64_t Hand::hold(std::uint64_t want) {
    ask(want);
    return answer_.allowance.recipients;
}

std::uint64_t Hand::take_some(std::uint64_t want) {
    std::uint64_t got = 0;
    wait_until("a grant", [&] { return (got = take(want)) > 0; });
    return got;
}

std::uint64_t Hand::take_all(std::uint64_t want) {
    std::uint64_t got = 0;
    for (int i = 0; i < 100; ++i) got += take(want);
    return got;
}

void Hand::wait_for_away(bool away) const {
    wait_until(away ? "Redis to be missed" : "Redis to be found", [&] { return away_ == away; });
}

NodeOptions RedisTest::options(const std::string& node, double share, std::uint16_t port) const {
    NodeOptions made;
    made.address.port = port;
    made.node = node;
    made.share = share;
    made.memory = directory / node;
    made.time_limit = 400ms;
    made.away = 400ms;
    made.longest_back_off = 200ms;
    made.heartbeat = 100ms;
    return made;
}

}  // namespace outpost::store

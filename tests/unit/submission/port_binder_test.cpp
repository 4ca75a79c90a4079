#include "submission/port_binder.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "net/listener.hpp"

namespace outpost::submission {
namespace {

class PortBinderTest : public testing::Test {
  protected:
    /// A port that is taken, and the socket that holds it.
    PortBinder::Socket occupy() {
        return std::move(*net::listen(threads_[0], boost::asio::ip::address_v4::loopback(), 0));
    }
    std::vector<std::uint16_t> bind(std::uint16_t first, std::uint16_t last) {
        config::Listener listener;
        listener.address = "127.0.0.1";
        listener.ports = {{first, last}};
        PortBinder binder(threads_);
        std::vector<std::uint16_t> ports;
        binder.bind(listener, [&](PortBinder::Socket socket) {
            ports.push_back(socket.local_endpoint().port());
            sockets_.push_back(std::move(socket));
        });
        binder.report();
        return ports;
    }

    net::IoThreads threads_{1, "test"};
    std::vector<PortBinder::Socket> sockets_;
};

TEST_F(PortBinderTest, LeavesOutPortsOfARangeThatAreTaken) {
    const auto taken = occupy();
    const auto port = taken.local_endpoint().port();
    const auto ports = bind(port, static_cast<std::uint16_t>(port + 1));
    for (const auto bound : ports) EXPECT_NE(bound, port);
}

TEST_F(PortBinderTest, FailsForAPortNamedSingly) {
    const auto taken = occupy();
    const auto port = taken.local_endpoint().port();
    try {
        bind(port, port);
        FAIL() << "bound a port that is taken";
    } catch (const base::StartFailure& failure) {
        const std::string text = failure.what();
        EXPECT_TRUE(text.contains(std::to_string(port))) << text;
        EXPECT_TRUE(text.contains("in use")) << text;
    }
}

}  // namespace
}  // namespace outpost::submission

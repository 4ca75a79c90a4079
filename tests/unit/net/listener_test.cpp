#include "net/listener.hpp"

#include <gtest/gtest.h>

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>

namespace outpost::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

TEST(Listener, TakesBothFamiliesOnTheUnspecifiedAddress) {
    asio::io_context context{1};
    auto acceptor = listen(context, asio::ip::make_address("::"), 0);
    ASSERT_TRUE(acceptor) << acceptor.error().message();
    const auto port = acceptor->local_endpoint().port();
    for (const char* address : {"127.0.0.1", "::1"}) {
        tcp::socket client(context);
        boost::system::error_code error;
        client.connect({asio::ip::make_address(address), port}, error);
        EXPECT_FALSE(error) << address << ": " << error.message();
    }
}

TEST(Listener, APortThatIsTakenIsAnError) {
    asio::io_context context{1};
    const auto address = asio::ip::make_address("127.0.0.1");
    auto first = listen(context, address, 0);
    ASSERT_TRUE(first);
    auto second = listen(context, address, first->local_endpoint().port());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error(), asio::error::address_in_use);
}

TEST(Listener, WhatItAcceptsSendsAtOnce) {
    asio::io_context context{1};
    auto acceptor = listen(context, asio::ip::make_address("127.0.0.1"), 0);
    ASSERT_TRUE(acceptor);
    tcp::socket client(context);
    client.connect(acceptor->local_endpoint());
    const tcp::socket accepted = acceptor->accept();
    tcp::no_delay no_delay;
    accepted.get_option(no_delay);
    EXPECT_TRUE(no_delay.value());
}

TEST(Listener, WithoutSocketActivationNothingIsInherited) {
    asio::io_context context{1};
    EXPECT_TRUE(inherited_listeners([&]() -> auto& { return context; })->empty());
}

}  // namespace
}  // namespace outpost::net

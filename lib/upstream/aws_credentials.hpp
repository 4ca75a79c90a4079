#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>

#include "base/clock.hpp"
#include "upstream/aws_sources.hpp"

namespace outpost::upstream {

/// The credentials of one upstream, fetched when first needed and renewed five minutes before they
/// expire, by one renewal at a time. While a renewal does not succeed the old ones are used until
/// they have expired. Used on one executor.
class AwsCredentials {
  public:
    AwsCredentials(boost::asio::io_context& context, const base::Clock& clock, AwsSources sources);
    ~AwsCredentials();
    AwsCredentials(const AwsCredentials&) = delete;
    AwsCredentials& operator=(const AwsCredentials&) = delete;

    [[nodiscard]] boost::asio::awaitable<FoundKeys> get();
    /// Others than these, which AWS has refused as expired.
    [[nodiscard]] boost::asio::awaitable<FoundKeys> replace(AwsKeys refused);

  private:
    struct State;

    std::shared_ptr<State> state_;
};

}  // namespace outpost::upstream

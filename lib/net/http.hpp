#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/secret.hpp"

/// HTTP messages as values: what request builders return and what outcomes are judged from. Pure.
namespace outpost::net {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

/// Credentials for AWS Signature Version 4 over a request.
struct AwsSignature {
    std::string region;
    std::string service;
    std::string access_key_id;
    base::Secret secret_access_key;
    base::Secret session_token;  ///< empty: long-term credentials
};

struct HttpRequest {
    std::string method = "POST";
    std::string url;
    HttpHeaders headers;  ///< in order; the client adds Host, Content-Length and User-Agent
    std::string body;
    /// Sent as they are and never logged: `Authorization: Bearer ...`.
    std::vector<std::pair<std::string, base::Secret>> secret_headers;
    std::optional<AwsSignature> sign;
    /// Where the server speaks it. Not for what must not be done twice: an HTTP/2 server may refuse
    /// a stream, or close its connection, after a request that it has not acted on has gone out,
    /// and that cannot be told from one that it has.
    bool http2 = true;
};

struct HttpResponse {
    int status = 0;
    HttpHeaders headers;     ///< names in lower case, in order; those of the final answer alone
    std::string body;        ///< at most HttpClient::Settings::max_body octets of it
    bool truncated = false;  ///< the body was longer

    /// The first field of that name, which is given in lower case; nothing if there is none.
    [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const noexcept {
        for (const auto& [key, value] : headers)
            if (key == name) return value;
        return std::nullopt;
    }
};

/// No complete answer came.
struct HttpFailure {
    /// The server may have read the whole request: it may have acted on it.
    bool request_sent = false;
    bool timed_out = false;
    /// `cannot connect to api.example.com:443: Connection refused`, without any secret.
    std::string text;
};

/// How long each stage took; zero for a stage that was skipped (a kept connection).
struct HttpStages {
    std::chrono::microseconds connect{};  ///< lookup and TCP
    std::chrono::microseconds tls{};
    std::chrono::microseconds transfer{};  ///< from the request's first octet to the answer's last
    bool reused = false;
    std::string remote;  ///< `[192.0.2.1]:443`; empty if never connected
};

}  // namespace outpost::net

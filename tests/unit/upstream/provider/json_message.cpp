#include "upstream/provider/json_message.hpp"

#include <gtest/gtest.h>

namespace outpost::upstream::test {

namespace {

constexpr std::string_view header =
    R"(From: =?utf-8?Q?J=C3=BCrgen_M=C3=BCller?= <sender@example.com>
Sender: Office <office@example.com>
To: "Doe, Bob" <bob@example.net>, absent@example.net
Cc: =?iso-8859-2?Q?=AEaneta?= <carol@example.net>
Reply-To: Antwort <reply@example.com>
Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=
Message-ID: <m1@example.com>
Date: Mon, 01 Jan 2024 00:00:00 +0000
In-Reply-To: <orig-1@example.net>
References: <orig-0@example.net>
 <orig-1@example.net>
List-Unsubscribe: <https://example.com/u/1>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
Precedence: bulk
X-Mailer: Test 1.0
X-Team: =?utf-8?Q?gr=C3=BCn?=
DKIM-Signature: v=1; a=rsa-sha256
)";

constexpr std::string_view alternative = R"(Content-Type: multipart/alternative; boundary=a

--a
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Sch=F6n
--a
)";

constexpr std::string_view html = R"(Content-Type: text/html; charset=utf-8

<!DOCTYPE html><html><head><title>t</title></head><body class="x"><p>Schön</p></body></html>
)";

constexpr std::string_view html_with_image = R"(Content-Type: multipart/related; boundary=r

--r
Content-Type: text/html; charset=utf-8

<p>Schön <img src="cid:logo1"></p>
--r
Content-Type: image/png
Content-ID: <logo1>
Content-Disposition: inline; filename=logo.png
Content-Transfer-Encoding: base64

iVBORw0KGgo=
--r--
)";

constexpr std::string_view attachment = R"(
--m
Content-Type: application/pdf
Content-Disposition: attachment; filename*=utf-8''Gr%C3%BC%C3%9Fe.pdf
Content-Transfer-Encoding: base64

SGVsbG8=
--m--
)";

constexpr std::string_view invitation =
    R"(Content-Type: text/calendar; method=REQUEST; charset=utf-8

BEGIN:VCALENDAR
)";

std::string text_of(Shape shape) {
    if (shape == Shape::bare) return "From: sender@example.com\nTo: bob@example.net\n\nx\n";
    if (shape == Shape::empty) return "From: sender@example.com\nTo: bob@example.net\n\n";
    std::string text(header);
    text.append("Content-Type: multipart/mixed; boundary=m\n\n--m\n").append(alternative);
    if (shape == Shape::full)
        text.append(html_with_image);
    else
        text.append(html);
    if (shape == Shape::invitation) text.append("--a\n").append(invitation);
    return text.append("--a--\n").append(attachment);
}

std::string crlf(std::string_view text) {
    std::string out;
    for (const char c : text) out.append(c == '\n' ? "\r\n" : std::string(1, c));
    return out;
}

}  // namespace

JsonMessage::JsonMessage(Shape shape) {
    auto apart = message::take_apart(crlf(text_of(shape)));
    EXPECT_TRUE(apart) << apart.error().text;
    if (apart) content = std::move(*apart);
}

ApiMessage JsonMessage::call() const {
    auto message = raw_message({});
    message.content = &content;
    return message;
}

net::HttpRequest request_for(const Provider& provider, Shape shape,
                             const ProviderSettings& settings) {
    const JsonMessage message(shape);
    auto request = provider.request(message.call(), settings);
    EXPECT_TRUE(request) << request.error().text;
    if (!request) return {};
    return std::move(*request);
}

std::string obstacle_to(const Provider& provider, const message::MimeContent& content) {
    const JsonMessage message(content);
    const auto request = provider.request(message.call(), fake_settings(provider));
    if (request) return "none";
    EXPECT_EQ(request.error().status, (smtp::EnhancedStatus{5, 6, 0}));
    return request.error().text;
}

ProviderSettings fake_settings(const Provider& provider) {
    ProviderSettings settings;
    settings.endpoint = provider.endpoint;
    settings.api_key = base::Secret("FAKE_KEY");
    settings.api_secret = base::Secret("FAKE_SECRET");
    return settings;
}

std::vector<Class> classes(const Provider& provider, int status, std::string_view body,
                           const net::HttpHeaders& headers) {
    static const JsonMessage message(Shape::full);
    const net::HttpResponse answer{.status = status, .headers = headers, .body = std::string(body)};
    std::vector<Class> found;
    for (const auto& outcome : provider.outcomes(answer, message.call(), answered_at))
        found.push_back(class_of(outcome));
    return found;
}

}  // namespace outpost::upstream::test

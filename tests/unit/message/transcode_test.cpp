#include "message/transcode.hpp"

#include <gmime/gmime.h>
#include <gtest/gtest.h>

#include "message/header_reader.hpp"

namespace outpost::message {
namespace {
TEST(X, Y) {
    const char* m =
        "From: a@b.c\r\nX-Odd :  foo\r\n  bar\r\nMIME-Version: 1.0\r\nContent-Type: "
        "multipart/mixed; boundary=bb\r\nContent-Transfer-Encoding: "
        "8bit\r\n\r\npre\r\n--bb\r\nContent-Type: text/plain; "
        "charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGr\xc3\xbc\xc3\x9f"
        "e aus K\xc3\xb6ln, ein ziemlich langer Satz = mit Gleichheitszeichen und so weiter bis er "
        "umbrochen wird. \r\n.dot\r\n--bb\r\nContent-Type: text/plain; "
        "charset=utf-8\r\n\r\n\xc3\xbc\r\n--bb\r\nContent-Type: "
        "message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\nSubject: in\r\nContent-Type: "
        "application/octet-stream\r\nContent-Transfer-Encoding: "
        "binary\r\n\r\n\xff\xfe\xfd\xfc\xfb\r\n--bb--\r\nepi\r\n";
    auto r = to_seven_bit(m);
    ASSERT_TRUE(r.has_value()) << r.error().text;
    printf("%s\n", r->c_str());
    r = to_seven_bit(
        "From: a@b.c\r\n\r\nGr\xc3\xbc\xc3\x9f"
        "e  \r\n\tx\r\n\r\n.\r\nend");
    printf("[%s]\n", r->c_str());
}
}  // namespace
}  // namespace outpost::message

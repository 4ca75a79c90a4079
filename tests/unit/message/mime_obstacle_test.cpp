#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "message/mime_content.hpp"
#include "message/mime_messages.hpp"

namespace outpost::message {
namespace {

using Kind = MimeObstacle::Kind;

struct Case {
    const char* name;
    Kind kind;
    std::string_view message;
};

void PrintTo(const Case& one, std::ostream* out) {
    *out << one.name;
}

class Obstacle : public testing::TestWithParam<Case> {};

TEST_P(Obstacle, IsNamed) {
    const auto content = take_apart(crlf(GetParam().message));
    ASSERT_FALSE(content);
    EXPECT_EQ(content.error().kind, GetParam().kind) << content.error().text;
    EXPECT_FALSE(content.error().text.empty());
}

const Case cases[] = {
    {"SmimeSigned", Kind::protected_content, R"(
From: a@example.com
Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary=b

--b
Content-Type: text/plain

signed
--b
Content-Type: application/pkcs7-signature; name=smime.p7s
Content-Transfer-Encoding: base64

MIAG
--b--
)"},
    {"SmimeEncrypted", Kind::protected_content, R"(
From: a@example.com
Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename=smime.p7m

MIAG
)"},
    {"PgpEncrypted", Kind::protected_content, R"(
From: a@example.com
Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary=b

--b
Content-Type: application/pgp-encrypted

Version: 1
--b
Content-Type: application/octet-stream

-----BEGIN PGP MESSAGE-----
--b--
)"},
    {"SignedInsideAList", Kind::protected_content, R"(
From: a@example.com
Content-Type: multipart/mixed; boundary=o

--o
Content-Type: multipart/signed; protocol="application/pgp-signature"; boundary=b

--b

signed
--b
Content-Type: application/pgp-signature

sig
--b--
--o

footer
--o--
)"},
    {"DeliveryReport", Kind::report, R"(
From: mailer-daemon@example.com
Auto-Submitted: auto-replied
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b

Your mail could not be delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; bob@example.net
Action: failed
Status: 5.1.1
--b
Content-Type: text/rfc822-headers

Subject: x
--b--
)"},
    {"ListFooter", Kind::structure, R"(
From: a@example.com
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

body
--b
Content-Type: text/plain; charset=us-ascii
Content-Disposition: inline

_______________
list mailing list
--b--
)"},
    {"HtmlAfterText", Kind::structure, R"(
From: a@example.com
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

body
--b
Content-Type: text/html

<p>more</p>
--b--
)"},
    {"HtmlBeforeText", Kind::structure, R"(
From: a@example.com
Content-Type: multipart/alternative; boundary=b

--b
Content-Type: text/html

<p>x</p>
--b
Content-Type: text/plain

x
--b--
)"},
    {"TwoBodiesInOneAlternative", Kind::structure, R"(
From: a@example.com
Content-Type: multipart/alternative; boundary=b

--b
Content-Type: text/plain

x
--b
Content-Type: multipart/mixed; boundary=m

--m
Content-Type: text/html

<p>x</p>
--m
Content-Type: application/pdf; name=a.pdf

PDF
--m
Content-Type: text/html

<p>y</p>
--m--
--b--
)"},
    {"AmpAlternative", Kind::structure, R"(
From: a@example.com
Content-Type: multipart/alternative; boundary=b

--b
Content-Type: text/plain

x
--b
Content-Type: text/x-amp-html

<p>x</p>
--b--
)"},
    {"AttachmentOfPlainAlternative", Kind::structure, R"(
From: a@example.com
Content-Type: multipart/alternative; boundary=b

--b
Content-Type: multipart/mixed; boundary=m

--m

x
--m
Content-Type: application/pdf; name=a.pdf

PDF
--m--
--b
Content-Type: text/html

<p>x</p>
--b--
)"},
    {"ImageAboveTheText", Kind::structure, R"(
From: a@example.com
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: image/png; name=a.png
Content-Disposition: inline

PNG
--b

x
--b--
)"},
    {"ContentLocation", Kind::structure, R"(
From: a@example.com
Content-Type: multipart/related; boundary=b

--b
Content-Type: text/html

<img src="http://example.com/a.png">
--b
Content-Type: image/png
Content-Location: http://example.com/a.png

PNG
--b--
)"},
    {"UnknownMultipart", Kind::structure, R"(
From: a@example.com
Content-Type: multipart/x-mixed-replace; boundary=b

--b

x
--b--
)"},
    {"NoPartFound", Kind::structure, R"(
From: a@example.com
Content-Type: multipart/mixed; boundary=b

there is no boundary
)"},
    {"PartialMessage", Kind::structure, R"(
From: a@example.com
Content-Type: message/partial; id="x@example.com"; number=1; total=2

x
)"},
    {"BareCalendar", Kind::structure, R"(
From: a@example.com
Content-Type: text/calendar; method=REPLY; charset=utf-8

BEGIN:VCALENDAR
)"},
    {"CalendarMethodWithALineBreak", Kind::header, R"(
From: a@example.com
Content-Type: multipart/alternative; boundary=b

--b

x
--b
Content-Type: text/calendar; method*=utf-8''REQ%0D%0AX-Evil:%20y

BEGIN:VCALENDAR
--b--
)"},
    {"CalendarMethodWithAParameter", Kind::header, R"(
From: a@example.com
Content-Type: multipart/alternative; boundary=b

--b

x
--b
Content-Type: text/calendar; method="REQUEST; x=y"

BEGIN:VCALENDAR
--b--
)"},
    {"TwoContentTypes", Kind::structure, R"(
From: a@example.com
Content-Type: text/plain
Content-Type: text/html

x
)"},
    {"UnknownCharset", Kind::encoding, R"(
From: a@example.com
Content-Type: text/plain; charset=x-nobody-knows

x
)"},
    {"BrokenUtf8", Kind::encoding,
     "From: a@example.com\nContent-Type: text/html; charset=utf-8\n\n\xc3\x28\n"},
    {"UndeclaredLatin1", Kind::encoding, "From: a@example.com\n\nsch\xf6n\n"},
    {"BrokenShiftJis", Kind::encoding,
     "From: a@example.com\nContent-Type: text/plain; charset=shift_jis\n\n\x81\n"},
    {"UnknownTransferEncoding", Kind::encoding, R"(
From: a@example.com
Content-Transfer-Encoding: x-uuencode

begin 644 a
)"},
    {"BrokenBase64", Kind::encoding, R"(
From: a@example.com
Content-Transfer-Encoding: base64

SGVs*bG8=
)"},
    {"BrokenQuotedPrintable", Kind::encoding, R"(
From: a@example.com
Content-Transfer-Encoding: quoted-printable

a=ZZ
)"},
    {"UnknownCharsetInTheSubject", Kind::encoding, R"(
From: a@example.com
Subject: =?x-nobody-knows?Q?abc?=

x
)"},
    {"BrokenSubject", Kind::encoding, "From: a@example.com\nSubject: sch\xf6n\n\nx\n"},
    {"BrokenName", Kind::encoding, R"(
From: =?utf-8?Q?=FF?= <a@example.com>

x
)"},
    {"UnknownCharsetInAFilename", Kind::encoding, R"(
From: a@example.com
Content-Type: application/pdf
Content-Disposition: attachment; filename*=x-nobody-knows''a%FFb.pdf

x
)"},
    {"BrokenFilename", Kind::encoding, R"(
From: a@example.com
Content-Type: application/pdf
Content-Disposition: attachment; filename*=utf-8''a%FFb.pdf

x
)"},
    {"SeveralAuthors", Kind::header, R"(
From: a@example.com, b@example.com
Sender: a@example.com

x
)"},
    {"GroupAsReplyTo", Kind::header, R"(
From: a@example.com
Reply-To: nobody:;

x
)"},
    {"UnreadableTo", Kind::header, R"(
From: a@example.com
To: bob at example.net

x
)"},
    {"TwoSubjects", Kind::header, R"(
From: a@example.com
Subject: one
Subject: two

x
)"},
    {"OctetsInAFieldName", Kind::header, "From: a@example.com\nX-\xff: x\n\nx\n"},
    {"LineEndHiddenInTheSubject", Kind::header, R"(
From: a@example.com
Subject: =?utf-8?Q?a=0D=0ABcc:_eve@example.com?=

x
)"},
    {"LineEndHiddenInAName", Kind::header, R"(
From: =?utf-8?B?YQ0KQmNjOiBldmVAZXhhbXBsZS5jb20=?= <a@example.com>

x
)"},
    {"LineEndHiddenInAFilename", Kind::header, R"(
From: a@example.com
Content-Type: application/pdf
Content-Disposition: attachment; filename*=utf-8''a%0D%0Ab.pdf

x
)"},
};

INSTANTIATE_TEST_SUITE_P(TakeApart, Obstacle, testing::ValuesIn(cases),
                         [](const auto& one) { return one.param.name; });

std::string nested(int levels) {
    std::string message = "From: a@example.com\n";
    for (int i = 0; i < levels; ++i)
        message += "Content-Type: multipart/mixed; boundary=b" + std::to_string(i) + "x\n\n--b" +
                   std::to_string(i) + "x\n";
    return crlf(message + "\ntext\n");
}

TEST(TakeApart, GoesDownFiftyLevels) {
    EXPECT_TRUE(take_apart(nested(50)));
    const auto content = take_apart(nested(51));
    ASSERT_FALSE(content);
    EXPECT_EQ(content.error().kind, Kind::structure);
    EXPECT_FALSE(take_apart(nested(2000)));
}

std::string many_parts(int count) {
    std::string message = "From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\n";
    for (int i = 0; i < count; ++i)
        message += "--b\nContent-Type: application/pdf; name=a.pdf\n\nx\n";
    return crlf(message + "--b--\n");
}

TEST(TakeApart, TakesFiveHundredParts) {
    EXPECT_TRUE(take_apart(many_parts(499)));
    EXPECT_FALSE(take_apart(many_parts(500)));
}

}  // namespace
}  // namespace outpost::message

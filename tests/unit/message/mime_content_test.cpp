#include "message/mime_content.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "message/mime_messages.hpp"

namespace outpost::message {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

MimeContent apart(std::string_view text) {
    auto content = take_apart(crlf(text));
    EXPECT_TRUE(content) << content.error().text;
    return content ? std::move(*content) : MimeContent{};
}

TEST(TakeApart, ReadsPlainText) {
    const auto content = apart(R"(
From: sender@example.com
To: bob@example.net
Subject: hello
Date: Mon, 01 Jan 2024 00:00:00 +0000
Message-ID: <relay-1@example.com>

Hi Bob

-- 
Sender
)");
    EXPECT_THAT(content.from, ElementsAre(NamedAddress{"", "sender@example.com"}));
    EXPECT_THAT(content.to, ElementsAre(NamedAddress{"", "bob@example.net"}));
    EXPECT_EQ(content.subject, "hello");
    EXPECT_EQ(content.date, "Mon, 01 Jan 2024 00:00:00 +0000");
    EXPECT_EQ(content.message_id, "relay-1@example.com");
    EXPECT_EQ(content.text, "Hi Bob\r\n\r\n-- \r\nSender\r\n");
    EXPECT_FALSE(content.html);
    EXPECT_THAT(content.attachments, IsEmpty());
    EXPECT_THAT(content.headers, IsEmpty());
}

TEST(TakeApart, ReadsAnOutlookMessage) {
    const auto content = apart(R"(
Received: from mail.example.com by relay.example.com; Mon, 1 Jan 2024 00:00:01 +0000
From: =?iso-8859-1?Q?J=FCrgen_M=FCller?= <juergen@example.com>
To: "Doe, John" <john@example.net>, =?utf-8?B?xb1pxb5rYQ==?= <zizka@example.org>
CC: Carol <carol@example.net>
Subject: =?utf-8?B?w4RuZGVydW5nIGRlciA=?=
 =?utf-8?Q?Tagesordnung_=E2=80=93_bitte_lesen?=
Thread-Topic: =?utf-8?Q?=C3=84nderung?=
Thread-Index: AdoAAAAA
Message-ID: <AM0PR0@example.com>
References: <orig-1@example.net>
	<orig-2@example.net>
In-Reply-To: <orig-2@example.net>
Accept-Language: de-DE, en-US
Content-Language: de-DE
X-MS-Has-Attach: yes
Content-Type: multipart/mixed;
	boundary="_005_outer_"
MIME-Version: 1.0

--_005_outer_
Content-Type: multipart/related;
	boundary="_004_related_"; type="multipart/alternative"

--_004_related_
Content-Type: multipart/alternative;
	boundary="_000_alternative_"

--_000_alternative_
Content-Type: text/plain; charset="Windows-1252"
Content-Transfer-Encoding: quoted-printable

Gr=FC=DFe =80 5

--_000_alternative_
Content-Type: text/html; charset="Windows-1252"
Content-Transfer-Encoding: quoted-printable

<p>Gr=FC=DFe =80 5</p><img src=3D"cid:image001.png@01DA3C00.00000000">

--_000_alternative_--

--_004_related_
Content-Type: image/png; name="image001.png"
Content-Description: image001.png
Content-Disposition: inline; filename="image001.png"; size=8;
	creation-date="Mon, 01 Jan 2024 00:00:00 GMT"
Content-ID: <image001.png@01DA3C00.00000000>
Content-Transfer-Encoding: base64

iVBORw0KGgo=

--_004_related_--

--_005_outer_
Content-Type: application/pdf; name="=?iso-8859-1?Q?=DCbersicht.pdf?="
Content-Disposition: attachment;
	filename="=?iso-8859-1?Q?=DCbersicht.pdf?="; size=5
Content-Transfer-Encoding: base64

SGVsbG8=

--_005_outer_--
)");
    EXPECT_THAT(content.from, ElementsAre(NamedAddress{"Jürgen Müller", "juergen@example.com"}));
    EXPECT_THAT(content.to, ElementsAre(NamedAddress{"Doe, John", "john@example.net"},
                                        NamedAddress{"Žižka", "zizka@example.org"}));
    EXPECT_THAT(content.cc, ElementsAre(NamedAddress{"Carol", "carol@example.net"}));
    EXPECT_EQ(content.subject, "Änderung der Tagesordnung – bitte lesen");
    EXPECT_EQ(content.text, "Grüße € 5\r\n");
    EXPECT_EQ(content.html, "<p>Grüße € 5</p><img src=\"cid:image001.png@01DA3C00.00000000\">\r\n");
    ASSERT_EQ(content.attachments.size(), 2U);
    EXPECT_EQ(content.attachments[0].content_type, "image/png");
    EXPECT_EQ(content.attachments[0].content_id, "image001.png@01DA3C00.00000000");
    EXPECT_TRUE(content.attachments[0].is_inline);
    EXPECT_EQ(content.attachments[0].content, "\x89PNG\r\n\x1a\n");
    EXPECT_EQ(content.attachments[1].filename, "Übersicht.pdf");
    EXPECT_FALSE(content.attachments[1].is_inline);
    EXPECT_EQ(content.attachments[1].content, "Hello");
    EXPECT_THAT(content.headers,
                ElementsAre(Pair("Thread-Topic", "Änderung"), Pair("Thread-Index", "AdoAAAAA"),
                            Pair("References", "<orig-1@example.net> <orig-2@example.net>"),
                            Pair("In-Reply-To", "<orig-2@example.net>"),
                            Pair("Accept-Language", "de-DE, en-US"),
                            Pair("Content-Language", "de-DE"), Pair("X-MS-Has-Attach", "yes")));
}

TEST(TakeApart, ReadsAnAppleMailMessage) {
    const auto content = apart(R"(
From: Ann Example <ann@example.com>
Content-Type: multipart/alternative;
	boundary="Apple-Mail=_1"
Mime-Version: 1.0 (Mac OS X Mail 16.0 \(3696.120.41.1.1\))
Subject: Report
X-Universally-Unique-Identifier: 00000000-1111-2222-3333-444444444444
To: bob@example.net

--Apple-Mail=_1
Content-Transfer-Encoding: 7bit
Content-Type: text/plain;
	charset=us-ascii

Here it is.

--Apple-Mail=_1
Content-Type: multipart/mixed;
	boundary="Apple-Mail=_2"

--Apple-Mail=_2
Content-Transfer-Encoding: 7bit
Content-Type: text/html;
	charset=us-ascii

<html><body>Here it is.</body></html>

--Apple-Mail=_2
Content-Disposition: inline;
	filename*=utf-8''Bericht%20f%C3%BCr%20M%C3%A4rz.pdf
Content-Type: application/pdf;
	x-unix-mode=0644;
	name="=?utf-8?Q?Bericht_f=C3=BCr_M=C3=A4rz=2Epdf?="
Content-Transfer-Encoding: base64

SGVsbG8=

--Apple-Mail=_2--

--Apple-Mail=_1--
)");
    EXPECT_EQ(content.text, "Here it is.\r\n");
    EXPECT_EQ(content.html, "<html><body>Here it is.</body></html>\r\n");
    ASSERT_EQ(content.attachments.size(), 1U);
    EXPECT_EQ(content.attachments[0].filename, "Bericht für März.pdf");
    EXPECT_FALSE(content.attachments[0].is_inline);
}

TEST(TakeApart, ReadsAGmailInvitation) {
    const auto content = apart(R"(
MIME-Version: 1.0
Reply-To: Ann <ann@example.com>
Sender: Calendar <calendar@example.com>
Auto-Submitted: auto-generated
Message-ID: <calendar-1@example.com>
Date: Mon, 01 Jan 2024 00:00:00 +0000
Subject: Invitation: Lunch
From: Ann <ann@example.com>
To: bob@example.net
Content-Type: multipart/mixed; boundary="000000000000a"

--000000000000a
Content-Type: multipart/alternative; boundary="000000000000b"

--000000000000b
Content-Type: text/plain; charset="UTF-8"; format=flowed; delsp=yes
Content-Transfer-Encoding: base64

THVuY2ggYXQgbm9vbg==

--000000000000b
Content-Type: text/html; charset="UTF-8"
Content-Transfer-Encoding: quoted-printable

<b>Lunch</b> at=20=
noon
--000000000000b
Content-Type: text/calendar; charset="UTF-8"; method=REQUEST
Content-Transfer-Encoding: 7bit

BEGIN:VCALENDAR
METHOD:REQUEST
END:VCALENDAR

--000000000000b--
--000000000000a
Content-Type: application/ics; name="invite.ics"
Content-Disposition: attachment; filename="invite.ics"
Content-Transfer-Encoding: base64

QkVHSU46VkNBTEVOREFSDQo=
--000000000000a--
)");
    EXPECT_EQ(content.text, "Lunch at noon");
    EXPECT_EQ(content.html, "<b>Lunch</b> at noon");
    EXPECT_EQ(content.calendar, "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n");
    EXPECT_EQ(content.calendar_method, "REQUEST");
    ASSERT_EQ(content.attachments.size(), 1U);
    EXPECT_EQ(content.attachments[0].filename, "invite.ics");
    EXPECT_EQ(content.attachments[0].content_type, "application/ics");
    EXPECT_EQ(content.sender, (NamedAddress{"Calendar", "calendar@example.com"}));
    EXPECT_THAT(content.reply_to, ElementsAre(NamedAddress{"Ann", "ann@example.com"}));
    EXPECT_THAT(content.headers, ElementsAre(Pair("Auto-Submitted", "auto-generated")));
}

TEST(TakeApart, ReadsAPhpmailerMessage) {
    const auto content = apart(R"(
Date: Mon, 1 Jan 2024 00:00:00 +0000
To: Bob <bob@example.net>
From: Shop <shop@example.com>
Reply-To: Support <support@example.com>, second@example.com
Subject: Your order
Message-ID: <abc@shop.example.com>
X-Mailer: PHPMailer 6.6.3 (https://github.com/PHPMailer/PHPMailer)
List-Unsubscribe: <mailto:leave@example.com>, <https://example.com/u/1>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
MIME-Version: 1.0
Content-Type: multipart/mixed;
 boundary="b1_x"
Content-Transfer-Encoding: 8bit

This is a multi-part message in MIME format.

--b1_x
Content-Type: multipart/alternative;
 boundary="b2_x"

--b2_x
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Danke schön

--b2_x
Content-Type: multipart/related;
 boundary="b3_x"

--b3_x
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: 8bit

<p>Danke schön <img src="cid:logo"></p>

--b3_x
Content-Type: image/png; name=logo.png
Content-Transfer-Encoding: base64
Content-ID: <logo>
Content-Disposition: inline; filename=logo.png

iVBORw0KGgo=

--b3_x--

--b2_x--

--b1_x
Content-Type: text/plain; name=terms.txt; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable
Content-Disposition: attachment; filename=terms.txt

Gesch=E4ft
--b1_x--
)");
    EXPECT_EQ(content.text, "Danke schön\r\n");
    EXPECT_EQ(content.html, "<p>Danke schön <img src=\"cid:logo\"></p>\r\n");
    ASSERT_EQ(content.attachments.size(), 2U);
    EXPECT_TRUE(content.attachments[0].is_inline);
    EXPECT_EQ(content.attachments[0].content_id, "logo");
    EXPECT_EQ(content.attachments[1].content,
              "Gesch\xe4"
              "ft");
    EXPECT_EQ(content.attachments[1].charset, "iso-8859-1");
    EXPECT_THAT(content.reply_to, ElementsAre(NamedAddress{"Support", "support@example.com"},
                                              NamedAddress{"", "second@example.com"}));
    EXPECT_THAT(
        content.headers,
        ElementsAre(
            Pair("X-Mailer", "PHPMailer 6.6.3 (https://github.com/PHPMailer/PHPMailer)"),
            Pair("List-Unsubscribe", "<mailto:leave@example.com>, <https://example.com/u/1>"),
            Pair("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")));
}

TEST(TakeApart, KeepsForwardedMessagesOctetForOctet) {
    const std::string inner = crlf(R"(
From: orig@example.org
X-Odd :   kept
Content-Type: multipart/signed; boundary="inner"; protocol="application/pgp-signature"

--inner

secret
--inner
Content-Type: application/pgp-signature

sig
--inner--
)");
    const auto content = take_apart(crlf(R"(
From: a@example.com
Content-Type: multipart/mixed; boundary="outer"

--outer

see below
--outer
Content-Type: message/rfc822
Content-Disposition: inline

)") + inner + crlf(R"(
--outer
Content-Type: message/rfc822; name="second.eml"

Content-Type: text/plain

body only
--outer--
)"));
    ASSERT_TRUE(content) << content.error().text;
    EXPECT_EQ(content->text, "see below");
    ASSERT_EQ(content->attachments.size(), 2U);
    EXPECT_EQ(content->attachments[0].filename, "message.eml");
    EXPECT_EQ(content->attachments[0].content_type, "message/rfc822");
    EXPECT_EQ(content->attachments[0].content + "\r\n", inner);
    EXPECT_EQ(content->attachments[1].filename, "second.eml");
    EXPECT_EQ(content->attachments[1].content, "Content-Type: text/plain\r\n\r\nbody only");
}

TEST(TakeApart, GivesEmptyTextWhereThereIsNone) {
    EXPECT_EQ(apart("\nFrom: a@example.com\n\n").text, "");
    EXPECT_EQ(apart("\nFrom: a@example.com\n").text, "");
    const auto content = apart(R"(
From: scanner@example.com
Content-Type: application/pdf
Content-Transfer-Encoding: base64

SGVsbG8=
)");
    EXPECT_EQ(content.text, "");
    ASSERT_EQ(content.attachments.size(), 1U);
    EXPECT_EQ(content.attachments[0].filename, "attachment-1.pdf");
    EXPECT_EQ(content.attachments[0].content, "Hello");
}

TEST(TakeApart, TakesTheRootThatRelatedNames) {
    const auto content = apart(R"(
From: a@example.com
Content-Type: multipart/related; boundary=b; start="<root>"

--b
Content-Type: image/gif
Content-ID: <i1>
Content-Transfer-Encoding: base64

R0lG
--b
Content-Type: text/html; charset=koi8-r
Content-ID: <root>
Content-Transfer-Encoding: 8bit

)"
                               "\xf0\xd2\xc9\xd7\xc5\xd4"
                               R"( <img src="cid:i1">
--b--
)");
    EXPECT_EQ(content.html, "Привет <img src=\"cid:i1\">");
    ASSERT_EQ(content.attachments.size(), 1U);
    EXPECT_TRUE(content.attachments[0].is_inline);
    EXPECT_EQ(content.attachments[0].filename, "attachment-1.gif");
}

TEST(TakeApart, TellsInlineImagesFromAttachmentsByTheHtml) {
    const auto content = apart(R"(
From: a@example.com
Content-Type: multipart/related; boundary=b

--b
Content-Type: text/html

<img src="cid:used%40x">
--b
Content-Type: image/gif
Content-ID: <used@x>
Content-Disposition: attachment; filename=used.gif

GIF
--b
Content-Type: application/pdf
Content-ID: <unused@x>
Content-Disposition: attachment; filename=unused.pdf

PDF
--b
Content-Type: image/png
Content-ID: <implied@x>

PNG
--b--
)");
    ASSERT_EQ(content.attachments.size(), 3U);
    EXPECT_TRUE(content.attachments[0].is_inline);
    EXPECT_FALSE(content.attachments[1].is_inline);
    EXPECT_TRUE(content.attachments[2].is_inline);
}

TEST(TakeApart, ReadsNamesOfFilesInEveryForm) {
    const auto named = [](std::string_view fields) {
        const auto content = apart("\nFrom: a@example.com\n" + std::string(fields) + "\n\nx\n");
        return content.attachments.size() == 1 ? content.attachments[0].filename : "";
    };
    EXPECT_EQ(named("Content-Type: image/png; name=a.png"), "a.png");
    EXPECT_EQ(named("Content-Type: image/png; name=\"a b.png\""), "a b.png");
    EXPECT_EQ(named("Content-Type: image/png; name=my file.png"), "my file.png");
    EXPECT_EQ(named("Content-Type: image/png; name=old.png\n"
                    "Content-Disposition: attachment; filename=new.png"),
              "new.png");
    EXPECT_EQ(named("Content-Type: image/png\n"
                    "Content-Disposition: attachment; filename*=iso-8859-1'de'gr%FCn.png"),
              "grün.png");
    EXPECT_EQ(named("Content-Type: image/png\n"
                    "Content-Disposition: attachment;\n filename*0*=utf-8''%E6%97;\n"
                    " filename*1*=%A5%20;\n filename*2=\"end.png\""),
              "日 end.png");
    EXPECT_EQ(named("Content-Type: image/png; name=\"=?utf-8?B?5pel?=\n =?utf-8?B?5pelYQ==?=\n"
                    " =?utf-8?Q?b.png?=\""),
              "日日ab.png");
    EXPECT_EQ(named("Content-Type: image/png; name==?utf-8?Q?gr=C3=BCn.png?="), "grün.png");
    EXPECT_EQ(named("Content-Type: image/png; name=\"grün.png\""), "grün.png");
    EXPECT_EQ(named("Content-Type: message/rfc822\n\nX: y"), "message.eml");
}

TEST(TakeApart, KeepsRepeatedFieldsInOrder) {
    const auto content = apart(R"(
From: a@example.com
X-Tag: one
Comments: =?utf-8?Q?gr=C3=BCn?=
X-Tag: two
X-Broken: =?x-unknown?Q?abc?=
X-Break: =?utf-8?Q?a=0D=0ABcc:_eve@example.com?=
ARC-Seal: i=1
DKIM-Signature: v=1

.
)");
    EXPECT_THAT(content.headers,
                ElementsAre(Pair("X-Tag", "one"), Pair("Comments", "grün"), Pair("X-Tag", "two"),
                            Pair("X-Broken", "=?x-unknown?Q?abc?="),
                            Pair("X-Break", "=?utf-8?Q?a=0D=0ABcc:_eve@example.com?=")));
}

TEST(TakeApart, TakesGroupMembersButNotTheirGroup) {
    const auto content = apart(R"(
From: a@example.com
To: Team: Bob <bob@example.net>, carol@example.net;, dave@example.org
Cc: undisclosed-recipients:;
To: late@example.org

.
)");
    EXPECT_THAT(
        content.to,
        ElementsAre(NamedAddress{"Bob", "bob@example.net"}, NamedAddress{"", "carol@example.net"},
                    NamedAddress{"", "dave@example.org"}, NamedAddress{"", "late@example.org"}));
    EXPECT_THAT(content.cc, IsEmpty());
}

TEST(TakeApart, KeepsAddressesAsWritten) {
    const auto content = apart(R"(
From: "Quoted \"Q\" Name" <"odd local"@example.com>
To: b@Bücher.Example, c@xn--bcher-kva.example, =?utf-8?Q?Last=2C_First?= <d@[192.0.2.1]>

.
)");
    EXPECT_THAT(content.from,
                ElementsAre(NamedAddress{"Quoted \"Q\" Name", "\"odd local\"@example.com"}));
    EXPECT_THAT(content.to, ElementsAre(NamedAddress{"", "b@Bücher.Example"},
                                        NamedAddress{"", "c@xn--bcher-kva.example"},
                                        NamedAddress{"Last, First", "d@[192.0.2.1]"}));
}

TEST(TakeApart, ReadsJapaneseAndSplitCharacters) {
    const auto content = apart(R"(
From: =?iso-2022-jp?B?GyRCOzNFREJATzobKEI=?= <taro@example.jp>
Subject: =?utf-8?B?5pel5pw=?= =?utf-8?B?rOiqng==?=
Content-Type: text/plain; charset=iso-2022-jp

)"
                               "\x1b$B$3$s$K$A$O\x1b(B\n");
    EXPECT_EQ(content.from.front().name, "山田太郎");
    EXPECT_EQ(content.subject, "日本語");
    EXPECT_EQ(content.text, "こんにちは\r\n");
}

TEST(TakeApart, ReadsUndeclaredUtf8AndMislabelledWindowsText) {
    EXPECT_EQ(apart("\nFrom: a@example.com\n\nschön\n").text, "schön\r\n");
    EXPECT_EQ(apart("\nFrom: a@example.com\nContent-Type: text/plain; charset=iso-8859-1\n\n"
                    "5 \x80\n")
                  .text,
              "5 €\r\n");
}

TEST(TakeApart, LeavesInlinePgpAlone) {
    const std::string armour =
        "-----BEGIN PGP MESSAGE-----\n\nhQEMA0=\n=abcd\n-----END PGP MESSAGE-----\n";
    EXPECT_EQ(apart("\nFrom: a@example.com\n\n" + armour).text, crlf(armour));
}

TEST(TakeApart, WorksOnManyThreads) {
    const std::string message = crlf(
        "From: =?koi8-r?B?8NLJ18XU?= <a@example.com>\nSubject: x\n"
        "Content-Type: text/plain; charset=koi8-r\n\n\xf0\xd2\xc9\xd7\xc5\xd4\n");
    std::vector<std::thread> threads;
    std::array<int, 4> good{};
    for (int& count : good)
        threads.emplace_back([&] {
            for (int i = 0; i < 200; ++i) {
                const auto content = take_apart(message);
                if (content && content->text == "Привет\r\n" &&
                    content->from.front().name == "Привет")
                    ++count;
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_THAT(good, testing::Each(200));
}

}  // namespace
}  // namespace outpost::message

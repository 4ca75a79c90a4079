#include "message/dsn.hpp"

#include <gmime/gmime.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "message/header_reader.hpp"
#include "message/transcode.hpp"

namespace outpost::message {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using std::literals::chrono_literals::operator""s;

/// A report read back by GMime: each part's type, declared encoding and octets.
struct ReadPart {
    std::string type;
    std::string encoding;
    std::string octets;
};

void write_message(GMimeMessage* message, GMimeStream* out) {
    GMimeFormatOptions* options = g_mime_format_options_new();
    g_mime_format_options_set_newline_format(options, GMIME_NEWLINE_FORMAT_DOS);
    g_mime_object_write_to_stream(GMIME_OBJECT(message), options, out);
    g_mime_format_options_free(options);
}

std::string content_of(GMimeObject* part) {
    GMimeStream* out = g_mime_stream_mem_new();
    if (GMIME_IS_MESSAGE_PART(part))
        write_message(g_mime_message_part_get_message(GMIME_MESSAGE_PART(part)), out);
    else
        g_mime_data_wrapper_write_to_stream(g_mime_part_get_content(GMIME_PART(part)), out);
    const GByteArray* octets = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(out));
    std::string text(reinterpret_cast<const char*>(octets->data), octets->len);
    g_object_unref(out);
    return text;
}

std::vector<ReadPart> read_back(const std::string& message) {
    g_mime_init();
    GMimeStream* in = g_mime_stream_mem_new_with_buffer(message.data(), message.size());
    GMimeParser* parser = g_mime_parser_new_with_stream(in);
    GMimeMessage* parsed = g_mime_parser_construct_message(parser, nullptr);
    GMimeObject* top = g_mime_message_get_mime_part(parsed);
    std::vector<ReadPart> parts;
    EXPECT_TRUE(GMIME_IS_MULTIPART(top));
    EXPECT_STREQ(g_mime_object_get_content_type_parameter(top, "report-type"), "delivery-status");
    for (int i = 0; GMIME_IS_MULTIPART(top) && i < g_mime_multipart_get_count(GMIME_MULTIPART(top));
         ++i) {
        GMimeObject* part = g_mime_multipart_get_part(GMIME_MULTIPART(top), i);
        char* type = g_mime_content_type_get_mime_type(g_mime_object_get_content_type(part));
        parts.push_back(
            {type, g_mime_object_get_header(part, "Content-Transfer-Encoding"), content_of(part)});
        g_free(type);
    }
    g_object_unref(parsed);
    g_object_unref(parser);
    g_object_unref(in);
    return parts;
}

std::string field(const std::string& octets, std::string_view name) {
    const HeaderSection header = read_header(octets);
    for (const HeaderField& f : header.fields)
        if (f.name == name) return unfold(f.value);
    return "(none)";
}

class DsnTest : public testing::Test {
  protected:
    DsnTest() {
        envelope_.reverse_path = "alice@example.com";
        envelope_.received = base::WallTime(1'795'298'213s);
        recipients_.push_back(failed("bob@example.org"));
    }

    static DsnRecipient failed(std::string address) {
        return {.recipient = {std::move(address), {}, ""},
                .action = DsnAction::failed,
                .reply = {550, {5, 1, 1}, {"No such user here"}},
                .remote = "mx.example.org [192.0.2.9]:25",
                .last_attempt = base::WallTime(1'795'298'300s)};
    }

    Dsn build() {
        return build_dsn({.id = *base::MessageId::parse("0ABCDEFGH2"),
                          .original_id = *base::MessageId::parse("0ABCDEFGH1"),
                          .hostname = "relay.example.com",
                          .from = "Mail Delivery System <mailer-daemon@relay.example.com>",
                          .to = envelope_.reverse_path,
                          .now = base::WallTime(1'795'298'400s),
                          .random = "r4nd0m",
                          .envelope = envelope_,
                          .recipients = recipients_,
                          .original = original_,
                          .original_complete = complete_});
    }
    /// Builds, checks the structure that every report has, and gives the three parts.
    std::vector<ReadPart> parts() {
        dsn_ = build();
        const auto parts = read_back(dsn_.message);
        EXPECT_EQ(parts.size(), 3U) << dsn_.message;
        EXPECT_FALSE(read_header(dsn_.message).problem);
        for (std::size_t i = dsn_.message.find('\n'); i != std::string::npos;
             i = dsn_.message.find('\n', i + 1))
            EXPECT_EQ(dsn_.message[i - 1], '\r') << "bare LF at " << i;
        EXPECT_TRUE(dsn_.message.ends_with("\r\n"));
        EXPECT_EQ(dsn_.envelope.smtputf8, read_header(dsn_.message).eight_bit);
        EXPECT_EQ(dsn_.envelope.body == smtp::BodyType::eight_bit_mime,
                  has_eight_bit(dsn_.message));
        return parts.size() == 3 ? parts : std::vector<ReadPart>(3);
    }
    /// The fields of the first recipient in the status part.
    static std::string recipient_fields(const std::vector<ReadPart>& parts) {
        return parts[1].octets.substr(parts[1].octets.find("\r\n\r\n") + 4);
    }

    smtp::Envelope envelope_;
    std::vector<DsnRecipient> recipients_;
    std::string original_ =
        "Received: x\r\nFrom: alice@example.com\r\nSubject: Hello\r\n"
        "Message-ID: <42@example.com>\r\n\r\nThe body\r\n";
    bool complete_ = true;
    Dsn dsn_;
};

TEST_F(DsnTest, IsAMultipartReportWithThreeParts) {
    const auto parts = this->parts();
    EXPECT_EQ(parts[0].type, "text/plain");
    EXPECT_EQ(parts[1].type, "message/delivery-status");
    EXPECT_EQ(parts[2].type, "message/rfc822");
    EXPECT_EQ(parts[2].octets, original_);
    EXPECT_EQ(parts[0].encoding, "7bit");
}

TEST_F(DsnTest, HasTheHeaderFieldsOfAReport) {
    parts();
    EXPECT_EQ(field(dsn_.message, "From"),
              "Mail Delivery System <mailer-daemon@relay.example.com>");
    EXPECT_EQ(field(dsn_.message, "To"), "<alice@example.com>");
    EXPECT_EQ(field(dsn_.message, "Subject"), "Undelivered Mail Returned to Sender");
    EXPECT_EQ(field(dsn_.message, "Date"), "Sat, 21 Nov 2026 22:00:00 +0000");
    EXPECT_EQ(field(dsn_.message, "Message-ID"), "<0ABCDEFGH2.r4nd0m@relay.example.com>");
    EXPECT_EQ(field(dsn_.message, "References"), "<42@example.com>");
    EXPECT_EQ(field(dsn_.message, "In-Reply-To"), "<42@example.com>");
    EXPECT_EQ(field(dsn_.message, "Auto-Submitted"), "auto-replied");
    EXPECT_EQ(field(dsn_.message, "MIME-Version"), "1.0");
}

TEST_F(DsnTest, GoesOutWithANullReversePathAndAsksForNoReport) {
    parts();
    EXPECT_THAT(dsn_.envelope.reverse_path, IsEmpty());
    EXPECT_THAT(dsn_.envelope.account, IsEmpty());
    ASSERT_EQ(dsn_.envelope.recipients.size(), 1U);
    EXPECT_EQ(dsn_.envelope.recipients[0].address, "alice@example.com");
    EXPECT_TRUE(dsn_.envelope.recipients[0].notify.never);
    EXPECT_EQ(dsn_.envelope.body, smtp::BodyType::seven_bit);
    EXPECT_EQ(dsn_.envelope.received, base::WallTime(1'795'298'400s));
    EXPECT_EQ(report_due(dsn_.envelope, dsn_.envelope.recipients[0], DeliveryEvent::failed),
              std::nullopt);
}

TEST_F(DsnTest, SaysWhatHappenedInFields) {
    envelope_.envid = "QQ+2B314";
    recipients_[0].recipient.orcpt = "rfc822;Bob+2Bx@example.org";
    const auto parts = this->parts();
    EXPECT_EQ(field(parts[1].octets, "Reporting-MTA"), "dns; relay.example.com");
    EXPECT_EQ(field(parts[1].octets, "Original-Envelope-Id"), "QQ+314");
    EXPECT_EQ(field(parts[1].octets, "Arrival-Date"), "Sat, 21 Nov 2026 21:56:53 +0000");
    const std::string fields = recipient_fields(parts);
    EXPECT_EQ(field(fields, "Original-Recipient"), "rfc822; Bob+x@example.org");
    EXPECT_EQ(field(fields, "Final-Recipient"), "rfc822; bob@example.org");
    EXPECT_EQ(field(fields, "Action"), "failed");
    EXPECT_EQ(field(fields, "Status"), "5.1.1");
    EXPECT_EQ(field(fields, "Remote-MTA"), "dns; mx.example.org");
    EXPECT_EQ(field(fields, "Diagnostic-Code"), "smtp; 550 5.1.1 No such user here");
    EXPECT_EQ(field(fields, "Last-Attempt-Date"), "Sat, 21 Nov 2026 21:58:20 +0000");
    EXPECT_EQ(field(fields, "Will-Retry-Until"), "(none)");
}

TEST_F(DsnTest, RepeatsWhatTheSenderSaidOfTime) {
    envelope_.release_at = base::WallTime(1'795'301'813s);
    EXPECT_EQ(field(parts()[1].octets, "Future-Release-Request"), "until;2026-11-21T22:56:53Z");
    envelope_.hold_for = 3600s;
    envelope_.deliver_by = {.by = base::WallTime(1'795'305'413s)};
    const auto fields = parts()[1].octets;
    EXPECT_EQ(field(fields, "Future-Release-Request"), "for;3600");
    EXPECT_EQ(field(fields, "Deliver-By-Date"), "Sat, 21 Nov 2026 23:56:53 +0000");
}

TEST_F(DsnTest, SaysThatTheSendersTimeIsOver) {
    recipients_[0].expired = recipients_[0].deliver_by = true;
    auto parts = this->parts();
    EXPECT_EQ(field(recipient_fields(parts), "Action"), "failed");
    EXPECT_EQ(field(recipient_fields(parts), "Status"), "5.4.7");
    EXPECT_THAT(parts[0].octets, HasSubstr("set with the message (BY) is over"));
    EXPECT_THAT(parts[0].octets, HasSubstr("with more time for delivery"));
    recipients_[0].expired = false;
    recipients_[0].action = DsnAction::delayed;
    parts = this->parts();
    EXPECT_EQ(field(recipient_fields(parts), "Action"), "delayed");
    EXPECT_EQ(field(recipient_fields(parts), "Status"), "4.4.7");
    recipients_[0].action = DsnAction::relayed;
    recipients_[0].reply = {250, {2, 0, 0}, {"Ok"}};
    parts = this->parts();
    EXPECT_EQ(field(recipient_fields(parts), "Status"), "2.0.0");
    EXPECT_THAT(parts[0].octets, HasSubstr("you are told since you set a"));
}

TEST_F(DsnTest, LeavesOutWhatIsNotKnown) {
    const auto parts = this->parts();
    EXPECT_EQ(field(parts[1].octets, "Future-Release-Request"), "(none)");
    EXPECT_EQ(field(parts[1].octets, "Deliver-By-Date"), "(none)");
    EXPECT_EQ(field(parts[1].octets, "Original-Envelope-Id"), "(none)");
    EXPECT_EQ(field(recipient_fields(parts), "Original-Recipient"), "(none)");
}

TEST_F(DsnTest, TellsPeopleWhoWhyAndWhatToDo) {
    const std::string words = parts()[0].octets;
    EXPECT_THAT(words, HasSubstr("relay.example.com"));
    EXPECT_THAT(words, HasSubstr("could not be delivered to one recipient"));
    EXPECT_THAT(words, HasSubstr("Subject:    Hello"));
    EXPECT_THAT(words, HasSubstr("0ABCDEFGH1"));
    EXPECT_THAT(words, HasSubstr("<bob@example.org>\r\n  mx.example.org [192.0.2.9]:25 refused"));
    EXPECT_THAT(words, HasSubstr("550 5.1.1 No such user here"));
    EXPECT_THAT(words, HasSubstr("What to do: Check the address for typing errors"));
}

TEST_F(DsnTest, ReportsADelayWithItsEnd) {
    recipients_[0].action = DsnAction::delayed;
    recipients_[0].reply = {451, {4, 2, 0}, {"Greylisted, try later"}};
    recipients_[0].will_retry_until = base::WallTime(1'795'700'000s);
    const auto parts = this->parts();
    EXPECT_EQ(field(dsn_.message, "Subject"), "Delayed Mail (still being retried)");
    const std::string fields = recipient_fields(parts);
    EXPECT_EQ(field(fields, "Action"), "delayed");
    EXPECT_EQ(field(fields, "Status"), "4.2.0");
    EXPECT_EQ(field(fields, "Will-Retry-Until"), "Thu, 26 Nov 2026 13:33:20 +0000");
    EXPECT_THAT(parts[0].octets, HasSubstr("You need not send"));
    EXPECT_EQ(parts[2].type, "text/rfc822-headers");
}

TEST_F(DsnTest, ReportsARelay) {
    recipients_[0].action = DsnAction::relayed;
    recipients_[0].reply = {250, {2, 0, 0}, {"queued"}};
    const auto parts = this->parts();
    EXPECT_EQ(field(dsn_.message, "Subject"), "Successful Mail Delivery Report");
    EXPECT_EQ(field(recipient_fields(parts), "Action"), "relayed");
    EXPECT_EQ(field(recipient_fields(parts), "Status"), "2.0.0");
    EXPECT_THAT(parts[0].octets, HasSubstr("no further report will come"));
}

TEST_F(DsnTest, ReportsAnExpiryWithItsOwnStatus) {
    recipients_[0].expired = true;
    recipients_[0].reply = {0, {}, {"connection refused"}};
    const auto parts = this->parts();
    const std::string fields = recipient_fields(parts);
    EXPECT_EQ(field(fields, "Action"), "failed");
    EXPECT_EQ(field(fields, "Status"), "4.4.7");
    EXPECT_EQ(field(fields, "Diagnostic-Code"), "x-outpost; connection refused");
    EXPECT_EQ(field(fields, "Remote-MTA"), "(none)");
    EXPECT_THAT(parts[0].octets, HasSubstr("time for delivery is over"));
}

TEST_F(DsnTest, PutsSeveralRecipientsInOneReport) {
    recipients_.push_back(failed("carol@example.org"));
    recipients_.push_back(failed("dave@example.org"));
    recipients_[2].action = DsnAction::delayed;
    recipients_[2].reply = {451, {4, 3, 0}, {"later"}};
    const auto parts = this->parts();
    EXPECT_EQ(field(dsn_.message, "Subject"), "Undelivered Mail Returned to Sender");
    EXPECT_THAT(parts[0].octets, HasSubstr("delivered to 2 recipients"));
    EXPECT_THAT(parts[0].octets, HasSubstr("not yet been delivered to one recipient"));
    EXPECT_THAT(parts[1].octets, HasSubstr("\r\n\r\nFinal-Recipient: rfc822; carol@example.org"));
    EXPECT_THAT(parts[1].octets, HasSubstr("\r\n\r\nFinal-Recipient: rfc822; dave@example.org"));
}

TEST_F(DsnTest, ReturnsHeadersWhereAskedTo) {
    envelope_.ret = smtp::Ret::headers;
    const auto parts = this->parts();
    EXPECT_EQ(parts[2].type, "text/rfc822-headers");
    EXPECT_EQ(parts[2].octets, original_.substr(0, original_.find("\r\n\r\n") + 2));
    EXPECT_THAT(parts[0].octets, HasSubstr("The header section of the message is attached"));
}

TEST_F(DsnTest, ReturnsHeadersOfALargeMessageAndSaysSo) {
    envelope_.ret = smtp::Ret::full;
    original_.append(dsn_return_limit, 'x');
    const auto parts = this->parts();
    EXPECT_EQ(parts[2].type, "text/rfc822-headers");
    EXPECT_THAT(parts[0].octets, HasSubstr("too large"));
}

TEST_F(DsnTest, ReturnsHeadersWhereOnlyAPieceIsGiven) {
    complete_ = false;
    EXPECT_EQ(parts()[2].type, "text/rfc822-headers");
}

TEST_F(DsnTest, TellsBeforehandWhetherItReturnsTheWholeMessage) {
    EXPECT_TRUE(dsn_returns_full(envelope_, recipients_, 1000));
    EXPECT_FALSE(dsn_returns_full(envelope_, recipients_, dsn_return_limit + 1));
    envelope_.ret = smtp::Ret::headers;
    EXPECT_FALSE(dsn_returns_full(envelope_, recipients_, 1000));
    envelope_.ret = smtp::Ret::full;
    EXPECT_TRUE(dsn_returns_full(envelope_, recipients_, 1000));
    recipients_[0].action = DsnAction::delayed;
    EXPECT_FALSE(dsn_returns_full(envelope_, recipients_, 1000));
    recipients_[0].action = DsnAction::failed;
    envelope_.body = smtp::BodyType::binary_mime;
    EXPECT_FALSE(dsn_returns_full(envelope_, recipients_, 1000));
}

TEST_F(DsnTest, MarksAnEightBitOriginal) {
    original_ +=
        "Gr\xc3\xbc\xc3\x9f"
        "e\r\n";
    const auto parts = this->parts();
    EXPECT_EQ(parts[2].encoding, "8bit");
    EXPECT_EQ(parts[2].octets, original_);
    EXPECT_EQ(dsn_.envelope.body, smtp::BodyType::eight_bit_mime);
    EXPECT_FALSE(dsn_.envelope.smtputf8);
    EXPECT_EQ(field(dsn_.message, "Content-Transfer-Encoding"), "8bit");
}

TEST_F(DsnTest, TakesTheUtf8FormWhereAnAddressNeedsIt) {
    recipients_[0].recipient.address =
        "b\xc3\xb6"
        "b@example.org";
    recipients_[0].recipient.orcpt = "utf-8;b\\x{F6}b@example.org";
    recipients_[0].reply.lines = {
        "No b\xc3\xb6"
        "b here"};
    envelope_.smtputf8 = true;
    const auto parts = this->parts();
    EXPECT_EQ(parts[1].type, "message/global-delivery-status");
    const std::string fields = recipient_fields(parts);
    EXPECT_EQ(field(fields, "Final-Recipient"),
              "utf-8; b\xc3\xb6"
              "b@example.org");
    EXPECT_EQ(field(fields, "Original-Recipient"),
              "utf-8; b\xc3\xb6"
              "b@example.org");
    EXPECT_THAT(field(fields, "Diagnostic-Code"), HasSubstr("No b\xc3\xb6"
                                                            "b here"));
    EXPECT_THAT(parts[0].octets, HasSubstr("<b\xc3\xb6"
                                           "b@example.org>"));
    EXPECT_FALSE(dsn_.envelope.smtputf8);  // no octet over 127 in its own header section
}

TEST_F(DsnTest, NeedsSmtputf8ForAUtf8Sender) {
    envelope_.reverse_path = "\xc3\xa4lice@example.com";
    parts();
    EXPECT_TRUE(dsn_.envelope.smtputf8);
    EXPECT_EQ(field(dsn_.message, "To"), "<\xc3\xa4lice@example.com>");
}

TEST_F(DsnTest, ReturnsAUtf8HeaderAsGlobalMessage) {
    original_.insert(0, "X-Name: \xc3\xa4\r\n");
    EXPECT_EQ(parts()[2].type, "message/global");
    envelope_.ret = smtp::Ret::headers;
    EXPECT_EQ(parts()[2].type, "message/global-headers");
    original_.insert(0, "X-Latin: \xe4\r\n");
    EXPECT_EQ(parts()[2].type, "text/rfc822-headers");
}

TEST_F(DsnTest, KeepsForeignWordsFromForgingFields) {
    recipients_[0].reply.lines = {"no\r\nAction: delivered\x01\xe4"};
    recipients_[0].recipient.orcpt = "rfc822;x+0D+0AAction:+20delivered";
    recipients_[0].remote = "mx\r\nAction: delivered";
    envelope_.envid = "a+0D+0AReporting-MTA:+20evil";
    original_ = "Subject: x\r\n y\x01\r\nMessage-ID: <4\t2@example.com>\r\n\r\n";
    const auto parts = this->parts();
    EXPECT_EQ(field(recipient_fields(parts), "Action"), "failed");
    EXPECT_THAT(parts[1].octets, Not(HasSubstr("\nAction: delivered")));
    EXPECT_THAT(parts[1].octets, Not(HasSubstr("\nReporting-MTA: evil")));
    EXPECT_EQ(field(dsn_.message, "References"), "(none)");
    EXPECT_FALSE(has_eight_bit(dsn_.message));
}

TEST_F(DsnTest, FindsABoundaryThatTheContentLacks) {
    const Dsn first = build();
    const std::string boundary = "=_0ABCDEFGH2.r4nd0m.0";
    ASSERT_THAT(first.message, HasSubstr("boundary=\"" + boundary + "\""));
    original_ += "--" + boundary + "--\r\n--" + boundary + "\r\n\r\nforged\r\n";
    const auto parts = this->parts();
    EXPECT_EQ(parts[2].octets, original_);
}

TEST_F(DsnTest, KeepsLinesShortWhateverTheReply) {
    recipients_[0].reply.lines = {std::string(3000, 'w'), std::string(900, ' ')};
    recipients_[0].reply.lines.push_back("many words " + std::string(200, 'v') + " and more");
    const Dsn dsn = build();
    for (std::size_t from = 0; from < dsn.message.size();) {
        const auto end = dsn.message.find("\r\n", from);
        EXPECT_LT(end - from, 500U);
        from = end + 2;
    }
}

TEST_F(DsnTest, EndsAnOriginalWithoutLastLineEnd) {
    original_ += "no end";
    EXPECT_THAT(parts()[2].octets, StartsWith(original_));
}

}  // namespace
}  // namespace outpost::message

"""Mail to send: octets with CRLF line ends, with Date and Message-ID, so that nothing need be
added to them on the way but trace fields."""

import email.message
import email.policy
import email.utils
import random
import uuid

FIXED_DATE = "Sat, 21 Nov 2026 12:00:00 +0000"


def header(subject, sender="news@example.com", recipient="you@example.net", extra=""):
    return (
        f"From: The shop <{sender}>\r\nTo: {recipient}\r\nSubject: {subject}\r\n"
        f"Date: {FIXED_DATE}\r\nMessage-ID: <{uuid.uuid4()}@example.com>\r\n"
        f"MIME-Version: 1.0\r\n{extra}"
    )


def plain(subject="Plain", body="Hello.\r\n", **keys):
    return (header(subject, **keys) + "Content-Type: text/plain\r\n\r\n" + body).encode()


def eight_bit(subject="Eight bit", **keys):
    extra = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
    return (header(subject, extra=extra, **keys) + "\r\nGrüße, 日本語, Ελλάδα\r\n").encode()


def dot_lines(subject="Dots", **keys):
    return plain(subject, ".\r\n..\r\n...\r\n.text\r\n\r\n. \r\n.\r\nend\r\n", **keys)


def long_lines(subject="Long lines", **keys):
    """Lines of 998 octets, the most that RFC 5322 allows, one of them beginning with a dot."""
    body = "".join(letter * 998 + "\r\n" for letter in "ab") + "." + "c" * 997 + "\r\n"
    return plain(subject, body, **keys)


def html(subject="HTML", **keys):
    message = _multipart(subject, **keys)
    message.set_content("Hello in plain text.\n")
    message.add_alternative("<p>Hello in <b>HTML</b> &amp; more.</p>\n", subtype="html")
    return _octets(message)


def attachments(subject="Attachments", seed=1, size=30000, **keys):
    message = _multipart(subject, **keys)
    message.set_content("See the files.\n")
    octets = random.Random(seed).randbytes(size)
    message.add_attachment(octets, maintype="application", subtype="pdf", filename="bill.pdf")
    message.add_attachment("a,b\n1,2\n", subtype="csv", filename="täble.csv")
    return _octets(message)


def big(subject="Big", size=20 << 20, **keys):
    """A message of about `size` octets, one attachment in base64."""
    return attachments(subject, seed=2, size=size * 3 // 4 * 76 // 78, **keys)


MIXED = (plain, html, attachments, eight_bit, dot_lines, long_lines)


def _multipart(subject, sender="news@example.com", recipient="you@example.net"):
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    message["From"], message["To"], message["Subject"] = sender, recipient, subject
    message["Date"], message["Message-ID"] = FIXED_DATE, f"<{uuid.uuid4()}@example.com>"
    return message


def _octets(message):
    return message.as_bytes()


def without_received(octets):
    """The message behind the Received field that the relay put on top, and that field."""
    assert octets.startswith(b"Received: "), octets[:200]
    end = octets.index(b"\r\n") + 2
    while octets[end : end + 1] in (b" ", b"\t"):
        end = octets.index(b"\r\n", end) + 2
    return octets[end:], octets[:end].decode()


def parse(octets):
    return email.message_from_bytes(octets, policy=email.policy.default)

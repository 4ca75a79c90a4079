"""Submission by Python's smtplib: the quick way to hand a message to the daemon."""

import smtplib
import ssl

from . import messages, outpost, process


def client(relay, listener="starttls", user=outpost.ACCOUNT, password=outpost.PASSWORD):
    """A client that is signed in (to a `plain` listener it just connects)."""
    connection = smtplib.SMTP("127.0.0.1", relay.ports[listener], timeout=process.PATIENCE)
    connection.ehlo("client.test")
    if listener == "starttls":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection.starttls(context=context)
        connection.ehlo("client.test")
        connection.user, connection.password = user, password
        connection.auth("PLAIN", connection.auth_plain)
    return connection


def send(relay, message=None, sender=outpost.SENDER, recipients=("you@example.net",),
         mail=(), rcpt=(), **keys):  # fmt: skip
    """Sends one message; the final reply's text. `mail` and `rcpt` are ESMTP parameters."""
    with client(relay, **keys) as connection:
        return transaction(connection, message, sender, recipients, mail, rcpt)


def transaction(connection, message=None, sender=outpost.SENDER, recipients=("you@example.net",),
                mail=(), rcpt=()):  # fmt: skip
    """One transaction on an open client; raises smtplib's errors with the server's words."""
    check(connection.mail(sender, list(mail)))
    for recipient in recipients:
        check(connection.rcpt(recipient, list(rcpt)))
    code, text = connection.data(message or messages.plain())
    return check((code, text))


def check(answer):
    code, text = answer
    if not 200 <= code < 300:
        raise smtplib.SMTPResponseException(code, text)
    return text.decode()


def queued_id(reply):
    """The message id in a final reply."""
    return reply.rpartition("queued as ")[2]

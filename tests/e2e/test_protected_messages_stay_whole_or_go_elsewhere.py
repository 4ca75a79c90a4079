"""What would be broken by taking it apart reaches a provider octet for octet, or not at all."""

import base64

import pytest
from harness import api_requests, api_server, messages
from harness.providers import PROVIDERS

SMIME = "application/pkcs7-signature; name=smime.p7s"


def multipart(kind, *parts):
    return f"Content-Type: {kind}; boundary=b\r\n\r\n--b\r\n" + "\r\n--b\r\n".join(parts) + "\r\n--b--\r\n"


TEXT = "Content-Type: text/plain\r\n\r\nHello"
STATUS = "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; a.test\r\n"
PROTECTED = {
    "S/MIME signed": multipart(
        'multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256', TEXT,
        f"Content-Type: {SMIME}\r\nContent-Transfer-Encoding: base64\r\n\r\nMIIB"),
    "S/MIME opaque": "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\n"
                     "Content-Transfer-Encoding: base64\r\n\r\nMIIB\r\n",
    "PGP signed": multipart(
        'multipart/signed; protocol="application/pgp-signature"; micalg=pgp-sha256', TEXT,
        "Content-Type: application/pgp-signature\r\n\r\n-----BEGIN PGP SIGNATURE-----"),
    "PGP encrypted": multipart(
        'multipart/encrypted; protocol="application/pgp-encrypted"',
        "Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1",
        "Content-Type: application/octet-stream\r\n\r\n-----BEGIN PGP MESSAGE-----"),
    "signed within a list's frame": multipart(
        "multipart/mixed",
        'Content-Type: multipart/signed; protocol="application/pgp-signature"; boundary=c\r\n\r\n'
        "--c\r\n" + TEXT + "\r\n--c\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--c--",
        "Content-Type: text/plain\r\n\r\nlist footer"),
    "delivery report": multipart("multipart/report; report-type=delivery-status", TEXT, STATUS),
    "read receipt": multipart(
        "multipart/report; report-type=disposition-notification", TEXT,
        "Content-Type: message/disposition-notification\r\n\r\nDisposition: manual-action; displayed"),
}  # fmt: skip


def request_for(kind, body, folder):
    mail = (messages.header("Protected", recipient="to@example.net") + body).encode()
    (request,) = api_requests.made_of(kind, mail, ["to@example.net"], folder)
    return request


def read(kind, request):
    headers = {name.lower(): value for name, value in request["headers"].items()}
    octets = base64.b64decode(request["body"])
    return PROVIDERS[kind].read(api_server.Request("POST", request["url"], headers, octets, 0))


@pytest.mark.parametrize("what", PROTECTED)
@pytest.mark.parametrize("kind", PROVIDERS)
def test_a_protected_message(kind, what, tmp_path):
    request = request_for(kind, PROTECTED[what], tmp_path)
    if PROVIDERS[kind].raw:
        content = PROTECTED[what].partition("\r\n\r\n")[2].encode()
        assert read(kind, request).raw.endswith(b"\r\n\r\n" + content)
    else:
        assert request.keys() == {"cannot"}
        assert request["cannot"].startswith("5.6.") and "cannot carry" in request["cannot"]


@pytest.mark.parametrize("kind", PROVIDERS)
def test_a_forwarded_message_is_an_attachment_of_the_same_octets(kind, tmp_path):
    inner = "From: a@example.org\r\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n\r\nHello  \r\n"
    body = multipart("multipart/mixed", TEXT, "Content-Type: message/rfc822; name=one.eml\r\n\r\n" + inner)
    request = request_for(kind, body, tmp_path)
    if kind == "brevo":  # takes no name that ends in .eml
        assert "`one.eml`" in request["cannot"]
    elif PROVIDERS[kind].raw:
        assert inner.encode() in read(kind, request).raw
    else:
        assert read(kind, request).attachments == {"one.eml": inner.encode()}

"""Each provider as this side sees it: how it is configured, what it answers when all is well, and
what a request of it says, read back independently of the code under test."""

import base64
import dataclasses
import email
import email.policy
import email.utils

KEY = "MARK-secret-key"
SECRET = "MARK-secret-secret"


@dataclasses.dataclass
class Mail:
    """What a request says: enough to compare with what was submitted."""

    sender: str = ""  # the address in From
    sender_name: str = ""
    subject: str = ""
    text: str = ""
    html: str = ""
    attachments: dict = dataclasses.field(default_factory=dict)  # name: octets
    inline: dict = dataclasses.field(default_factory=dict)  # content id: octets
    recipients: list = dataclasses.field(default_factory=list)  # all who get it
    shown: list = dataclasses.field(default_factory=list)  # who stands in To and Cc
    raw: bytes = b""


def of_mime(octets, recipients):
    message = email.message_from_bytes(octets, policy=email.policy.default)
    mail = Mail(raw=octets, recipients=sorted(recipients))
    mail.sender_name, mail.sender = email.utils.parseaddr(str(message["From"]))
    mail.subject = str(message["Subject"])
    mail.shown = sorted(
        a.addr_spec for field in ("To", "Cc") if message[field] for a in message[field].addresses
    )
    assert message["Bcc"] is None
    for part in message.walk():
        if part.is_multipart():
            continue
        content = part.get_payload(decode=True)
        if part.get_filename() and not part["Content-ID"]:
            mail.attachments[part.get_filename()] = content
        elif part["Content-ID"]:
            mail.inline[part["Content-ID"].strip("<> ")] = content
        elif part.get_content_type() == "text/html":
            mail.html = part.get_content()
        else:
            mail.text = part.get_content()
    return mail


def octets(text):
    return base64.b64decode(text, validate=True)


def fill(mail, request):
    """The ways of saying who gets it, in objects, strings or comma lists."""
    for key in ("to", "cc", "bcc"):
        for one in request.get(key) or []:
            address = one if isinstance(one, str) else one.get("email") or one.get("Email")
            address = email.utils.parseaddr(address)[1]
            mail.recipients.append(address)
            if key != "bcc":
                mail.shown.append(address)
    mail.recipients.sort()
    mail.shown.sort()
    return mail


def read_ses(request):
    body = request.json()
    everyone = [a for field in body["Destination"].values() for a in field]
    return of_mime(octets(body["Content"]["Raw"]["Data"]), everyone)


def read_mailgun(request):
    form = email.message_from_bytes(
        b"Content-Type: " + request.headers["content-type"].encode() + b"\r\n\r\n" + request.body
    )
    fields = {}
    for part in form.get_payload():
        name = part.get_param("name", header="content-disposition")
        fields.setdefault(name, []).append(part)
    everyone = [a.strip() for p in fields["to"] for a in p.get_payload().split(",")]
    start = request.body.index(b'filename="')
    start = request.body.index(b"\r\n\r\n", start) + 4
    boundary = form.get_boundary().encode()
    raw = request.body[start : request.body.index(b"\r\n--" + boundary, start)]
    return of_mime(raw, everyone)


def read_sparkpost(request):
    body = request.json()
    everyone = [r["address"]["email"] for r in body["recipients"]]
    return of_mime(body["content"]["email_rfc822"].encode(), everyone)


def read_mandrill(request):
    body = request.json()
    return of_mime(body["raw_message"].encode(), body["to"])


def read_smtp2go(request):
    raw = octets(request.json()["mime_email"])
    mail = of_mime(raw, [])
    mail.recipients = list(mail.shown)
    return mail


def read_sendgrid(request):
    body = request.json()
    mail = Mail(body["from"]["email"], body["from"].get("name", ""), body["subject"])
    for part in body["content"]:
        if part["type"] == "text/plain":
            mail.text = part["value"]
        elif part["type"] == "text/html":
            mail.html = part["value"]
    for one in body.get("attachments", []):
        if one["disposition"] == "inline":
            mail.inline[one["content_id"]] = octets(one["content"])
        else:
            mail.attachments[one["filename"]] = octets(one["content"])
    (personalization,) = body["personalizations"]
    return fill(mail, personalization)


def read_mailersend(request):
    body = request.json()
    mail = Mail(body["from"]["email"], body["from"].get("name", ""), body["subject"],
                body.get("text", ""), body.get("html", ""))  # fmt: skip
    for one in body.get("attachments", []):
        if one.get("disposition") == "inline":
            mail.inline[one["id"]] = octets(one["content"])
        else:
            mail.attachments[one["filename"]] = octets(one["content"])
    return fill(mail, body)


def read_elasticemail(request):
    body = request.json()
    content = body["Content"]
    name, address = email.utils.parseaddr(content["From"])
    mail = Mail(address, name, content["Subject"])
    for part in content["Body"]:
        if part["ContentType"] == "HTML":
            mail.html = part["Content"]
        else:
            mail.text = part["Content"]
    for one in content.get("Attachments", []):
        mail.attachments[one["Name"]] = octets(one["BinaryContent"])
    recipients = body["Recipients"]
    return fill(mail, {"to": recipients["To"], "cc": recipients.get("CC"), "bcc": recipients.get("BCC")})


def read_postmark(request):
    body = request.json()
    name, address = email.utils.parseaddr(body["From"])
    mail = Mail(address, name, body["Subject"], body.get("TextBody", ""), body.get("HtmlBody", ""))
    for one in body.get("Attachments", []):
        if one.get("ContentID"):
            mail.inline[one["ContentID"].removeprefix("cid:")] = octets(one["Content"])
        else:
            mail.attachments[one["Name"]] = octets(one["Content"])
    lists = {
        key: [f"<{a}>" for _, a in email.utils.getaddresses([body.get(field) or ""])]
        for key, field in (("to", "To"), ("cc", "Cc"), ("bcc", "Bcc"))
    }
    return fill(mail, lists)


def read_mailjet(request):
    (body,) = request.json()["Messages"]
    mail = Mail(body["From"]["Email"], body["From"].get("Name", ""), body["Subject"],
                body.get("TextPart", ""), body.get("HTMLPart", ""))  # fmt: skip
    for one in body.get("Attachments", []):
        mail.attachments[one["Filename"]] = octets(one["Base64Content"])
    for one in body.get("InlinedAttachments", []):
        mail.inline[one["ContentID"]] = octets(one["Base64Content"])
    return fill(mail, {key.lower(): body.get(key) for key in ("To", "Cc", "Bcc")})


def read_brevo(request):
    body = request.json()
    mail = Mail(body["sender"]["email"], body["sender"].get("name", ""), body["subject"],
                body.get("textContent", ""), body.get("htmlContent", ""))  # fmt: skip
    for one in body.get("attachment", []):
        mail.attachments[one["name"]] = octets(one["content"])
    return fill(mail, body)


def read_resend(request):
    body = request.json()
    name, address = email.utils.parseaddr(body["from"])
    mail = Mail(address, name, body["subject"], body.get("text", ""), body.get("html", ""))
    for one in body.get("attachments", []):
        if one.get("content_id"):
            mail.inline[one["content_id"]] = octets(one["content"])
        else:
            mail.attachments[one["filename"]] = octets(one["content"])
    return fill(mail, body)


def read_mailup(request):
    body = request.json()
    mail = Mail(body["From"]["Email"], body["From"].get("Name", ""), body["Subject"],
                body.get("Text") or "", (body.get("Html") or {}).get("Body") or "")  # fmt: skip
    for one in body.get("Attachments") or []:
        mail.attachments[one["Filename"]] = octets(one["Body"])
    for one in body.get("EmbeddedImages") or []:
        mail.inline[one["ContentId"]] = octets(one["Body"])
    return fill(mail, {key.lower(): body.get(key) for key in ("To", "Cc", "Bcc")})


def mandrill_ok(request):
    return 200, {}, [{"email": a, "status": "sent", "_id": f"{i:032x}", "reject_reason": None}
                     for i, a in enumerate(request.json()["to"])]  # fmt: skip


def mailjet_ok(request):
    (body,) = request.json()["Messages"]
    sent = {key: [{"Email": r["Email"], "MessageUUID": "u", "MessageID": 1152921500000000001,
                   "MessageHref": "h"} for r in body.get(key) or []]
            for key in ("To", "Cc", "Bcc")}  # fmt: skip
    return 200, {}, {"Messages": [{"Status": "success", **sent}]}


@dataclasses.dataclass
class Provider:
    path: str
    read: object
    answer: object  # of a request, when all is well
    config: dict = dataclasses.field(default_factory=lambda: {"api_key": KEY})
    inline: bool = True  # images within the HTML can be carried
    raw: bool = False


def just(status, body, headers=None):
    return lambda request: (status, headers or {}, body)


PROVIDERS = {
    "ses": Provider(
        "/v2/email/outbound-emails", read_ses, just(200, {"MessageId": "0102-ses-000000"}),
        {"region": "eu-west-1", "access_key_id": "AKIDEXAMPLE", "secret_access_key": SECRET}, raw=True),
    "sendgrid": Provider("/v3/mail/send", read_sendgrid, just(202, b"", {"X-Message-Id": "SGid"})),
    "mailgun": Provider(
        "/v3/mg.example.com/messages.mime", read_mailgun,
        just(200, {"id": "<1@mg.example.com>", "message": "Queued. Thank you."}),
        {"api_key": KEY, "domain": "mg.example.com"}, raw=True),
    "mailersend": Provider("/v1/email", read_mailersend, just(202, b"", {"x-message-id": "65f0"})),
    "elasticemail": Provider(
        "/v4/emails/transactional", read_elasticemail,
        just(200, {"TransactionID": "t-1", "MessageID": "m-1"}), inline=False),
    "postmark": Provider(
        "/email", read_postmark,
        just(200, {"To": "x", "SubmittedAt": "2026", "MessageID": "pm-1", "ErrorCode": 0, "Message": "OK"})),
    "sparkpost": Provider(
        "/api/v1/transmissions", read_sparkpost,
        lambda r: (200, {}, {"results": {"total_rejected_recipients": 0, "id": "116687",
                                         "total_accepted_recipients": len(r.json()["recipients"])}}),
        raw=True),
    "mailjet": Provider("/v3.1/send", read_mailjet, mailjet_ok, {"api_key": KEY, "api_secret": SECRET}),
    "brevo": Provider("/v3/smtp/email", read_brevo, just(201, {"messageId": "<1@brevo>"}), inline=False),
    "mandrill": Provider("/messages/send-raw", read_mandrill, mandrill_ok, raw=True),
    "resend": Provider("/emails", read_resend, just(200, {"id": "re-1"})),
    "smtp2go": Provider(
        "/v3/email/mime", read_smtp2go,
        just(200, {"request_id": "r", "data": {"succeeded": 1, "failed": 0, "failures": [], "email_id": "1u0"}}),
        raw=True),
    "mailup": Provider(
        "/API/v2.0/messages/sendmessage", read_mailup, just(200, {"Status": "done", "Code": "0", "Message": ""}),
        {"api_key": KEY, "api_secret": SECRET}),
}  # fmt: skip

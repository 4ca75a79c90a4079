"""What a provider's API would be sent for messages of several shapes: the work of tests/tools."""

import email.message
import email.policy
import json
import subprocess

from . import messages, outpost, providers

TOOL = outpost.BIN.parent / "tests" / "api_requests"
PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452") + bytes(range(256))


def letter(kind, shape):
    """A message and its recipients."""
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    message["From"] = '"Jürgen, Österreich" <news@example.com>'
    message["To"] = "Zoë <to@example.net>"
    message["Subject"] = "Grüße aus Österreich"
    message["Date"] = messages.FIXED_DATE
    message["Message-ID"] = "<one@example.com>"
    recipients = ["to@example.net"]
    message.set_content("Schöne Grüße\r\n")
    if shape == "full":
        message["Cc"] = "Čeněk <cc@example.net>"
        message["Reply-To"] = "Antwörter <reply@example.com>"
        message.add_alternative('<p>Schöne Grüße <img src="cid:logo1"></p>\r\n', subtype="html")
        if providers.PROVIDERS[kind].inline:
            html = message.get_payload()[1]
            html.add_related(PNG, "image", "png", cid="<logo1>", filename="logo.png")
        message.add_attachment(b"%PDF-1.4\n", "application", "pdf", filename="Übersicht.pdf")
        recipients += ["cc@example.net", "hidden@example.org"]
    elif shape == "many recipients":
        shown = [f"r{i}@example.net" for i in range(120)]
        message.replace_header("To", ", ".join(shown[:60]))
        message["Cc"] = ", ".join(shown[60:])
        recipients = shown + [f"hidden{i}@example.org" for i in range(120)]
    elif shape == "many fields":
        message["In-Reply-To"] = "<zero@example.net>"
        message["References"] = "<minus-one@example.net> <zero@example.net>"
        message["List-Unsubscribe"] = "<https://example.com/u/1>, <mailto:u@example.com>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message["List-Id"] = "Größe <list.example.com>"
        message["Auto-Submitted"] = "auto-generated"
        message["Precedence"] = "bulk"
        message["X-Priority"] = "1"
        message["Sender"] = "Büro <office@example.com>"
        for i in range(30):
            message[f"X-Field-{i}"] = f"Wert {i} größer"
        message["X-Field-1"] = "once more"
    return message.as_bytes(), recipients


SHAPES = ("plain", "full", "many recipients", "many fields")


def of(kind, shape, folder):
    return made_of(kind, *letter(kind, shape), folder)


def made_of(kind, message, recipients, folder):
    """The requests, one a call: dictionaries of method, url, headers and body (base64), or of
    `cannot` and a reason."""
    file = folder / "message.eml"
    file.write_bytes(message)
    done = subprocess.run([TOOL, kind, file, *recipients], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)

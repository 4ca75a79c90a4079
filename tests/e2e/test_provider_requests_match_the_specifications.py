"""What each provider's API is sent, held against the provider's own specification."""

import base64
import copy
import dataclasses
import email.message
import email.policy
import json
import subprocess

import pytest
from harness import messages, outpost, providers, specifications

TOOL = outpost.BIN.parent / "tests" / "api_requests"
PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452") + bytes(range(256))


@dataclasses.dataclass
class Judge:
    read: object  # a file or folder makes a specification
    file: str
    shipped: bool = True
    # Names that stand in esp-apis.md or the provider's pages, but not in its specification.
    more: tuple = ()


def open_api(path, base=None):
    return lambda file: specifications.OpenApi(file, path, base)


JUDGES = {
    "ses": Judge(specifications.AwsModel, "ses/specification.json"),
    "sendgrid": Judge(open_api("/v3/mail/send"), "sendgrid/specification.json"),
    # `v:` is for variables of any name; the specification shows one as an example.
    "mailgun": Judge(open_api("/v3/{domain_name}/messages.mime"), "mailgun/specification.json",
                     more=("v:.+",)),
    "brevo": Judge(open_api("/smtp/email"), "brevo/specification.json"),
    "resend": Judge(open_api("/emails"), "resend/specification.json"),
    "sparkpost": Judge(specifications.Blueprint, "sparkpost"),
    "elasticemail": Judge(open_api("/emails/transactional"), "elastic-email-v4.yaml", shipped=False),
    # Older than Metadata.
    "postmark": Judge(open_api("/email"), "postmark-server.yaml", shipped=False, more=("Metadata",)),
    # The document is for version 1.4; 1.0 is what clients use, and its request is the same.
    "mandrill": Judge(open_api("/messages/send-raw", "https://mandrillapp.com/api/1.0"),
                      "mailchimp-transactional.openapi.json", shipped=False),
    "smtp2go": Judge(open_api("/email/mime"), "smtp2go-v3.yaml", shipped=False),
}  # fmt: skip
UNSPECIFIED = {"mailersend", "mailjet", "mailup"}  # they publish none


@pytest.fixture(params=JUDGES)
def kind(request):
    return request.param


@pytest.fixture
def specification(kind):
    judge = JUDGES[kind]
    place = specifications.SHIPPED if judge.shipped else specifications.BESIDE
    if not (place / judge.file).exists():
        assert not judge.shipped, f"{place / judge.file} is gone"
        pytest.skip(f"the specification of {kind} may not be shipped, and {place / judge.file} is not there")
    return judge.read(place / judge.file)


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


def requests_of(kind, message, recipients, folder):
    file = folder / "message.eml"
    file.write_bytes(message)
    done = subprocess.run([TOOL, kind, file, *recipients], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_provider_has_a_judge_or_is_known_to_have_none():
    assert JUDGES.keys() | UNSPECIFIED == providers.PROVIDERS.keys()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_request_is_as_its_provider_specifies(kind, specification, shape, tmp_path):
    requests = requests_of(kind, *letter(kind, shape), tmp_path)
    assert requests
    for request in requests:
        assert "cannot" not in request, request
        found = specifications.problems(specification, request, JUDGES[kind].more)
        assert not found, "\n".join(found)


def test_a_judge_finds_what_is_wrong(kind, specification, tmp_path):
    """Whoever finds nothing in a good request must find something in each of these."""
    good = requests_of(kind, *letter(kind, "full"), tmp_path)[0]
    for name, request in spoilt(good):
        assert specifications.problems(specification, request, JUDGES[kind].more), name


def spoilt(good):
    def with_body(change):
        request = copy.deepcopy(good)
        octets = base64.b64decode(request["body"])
        request["body"] = base64.b64encode(change(octets)).decode()
        return request

    if good["headers"].get("Content-Type") != "application/json":
        yield "a name", with_body(lambda octets: octets.replace(b'name="to"', b'name="too"'))
        yield "a value", with_body(lambda octets: octets.replace(b"\r\n\r\nno\r\n", b"\r\n\r\noff\r\n"))
    else:
        body = json.loads(base64.b64decode(good["body"]))
        for path in paths_of(body):
            changed = copy.deepcopy(body)
            holder = changed
            for step in path[:-1]:
                holder = holder[step]
            # The names of header fields and of our own data are free.
            if {"headers", "Headers", "metadata", "Metadata", "custom_args"} & set(path[:-1]):
                continue
            holder[path[-1] + "x"] = holder.pop(path[-1])
            yield f"the name {path}", with_body(lambda _, text=json.dumps(changed): text.encode())
    yield "the path", {**good, "url": good["url"] + "s"}
    yield "the method", {**good, "method": "PUT"}


def paths_of(value, path=()):
    """The ways to all members of objects."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield (*path, key)
            yield from paths_of(one, (*path, key))
    elif isinstance(value, list) and value:
        yield from paths_of(value[0], (*path, 0))

"""Email providers' APIs behind the running daemon: a scripted server stands in each one's place."""

import email.message
import email.policy

import pytest
from harness import api_server, messages, outpost, process, providers, submit
from harness.providers import PROVIDERS

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452") + bytes(range(256))
PDF = b"%PDF-1.4\n" + bytes(range(255, -1, -1)) * 40


def newsletter(inline=True):
    """Text, HTML, an attachment with a name of other letters, and perhaps an image within."""
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    message["From"] = '"Jürgen, Österreich" <news@example.com>'
    message["To"] = "Zoë <to@example.net>"
    message["Cc"] = "Carol <cc@example.net>"
    message["Subject"] = "Grüße aus Österreich – 50 % günstiger"
    message["Date"] = messages.FIXED_DATE
    message["Message-ID"] = "<one@example.com>"
    message["List-Unsubscribe"] = "<https://example.com/u/1>"
    message.set_content("Schöne Grüße\r\nund ein €\r\n")
    message.add_alternative('<p>Schöne <b>Grüße</b> <img src="cid:logo1"></p>\r\n', subtype="html")
    if inline:
        message.get_payload()[1].add_related(PNG, "image", "png", cid="<logo1>", filename="logo.png")
    message.add_attachment(PDF, "application", "pdf", filename="Übersicht.pdf")
    return message.as_bytes()


@pytest.fixture
def api(request):
    servers = []

    def make(kind):
        servers.append(api_server.ApiServer(PROVIDERS[kind].answer))
        return servers[-1]

    yield make
    for server in servers:
        server.shutdown()


@pytest.fixture
def provided(api, outposts):
    """A daemon with one provider's API as its upstream, and the server in its place."""

    def make(kind, **keys):
        server = api(kind)
        relay = outposts(upstream(kind, server, **keys)).start()
        return relay, server

    return make


def upstream(kind, server, **keys):
    return {"type": kind, "endpoint": server.url, **PROVIDERS[kind].config, **keys}


def normal(text):
    return text.replace("\r\n", "\n").strip()


def no_secret_in(relay):
    log = relay.whole_log()
    assert "MARK-secret" not in log


@pytest.mark.parametrize("kind", PROVIDERS)
def test_a_message_arrives_equal_in_content(provided, kind):
    provider = PROVIDERS[kind]
    relay, server = provided(kind)
    mail = newsletter(provider.inline)
    hidden = [] if kind == "smtp2go" else ["hidden@example.org"]
    everyone = ["to@example.net", "cc@example.net", *hidden]
    submit.send(relay, mail, recipients=everyone)
    (request,) = server.wait(1)
    assert request.method == "POST" and request.path == provider.path
    said = provider.read(request)
    assert (said.sender, said.sender_name) == ("news@example.com", "Jürgen, Österreich")
    assert said.subject == "Grüße aus Österreich – 50 % günstiger"
    assert normal(said.text) == "Schöne Grüße\nund ein €"
    assert normal(said.html) == '<p>Schöne <b>Grüße</b> <img src="cid:logo1"></p>'
    assert said.attachments == {"Übersicht.pdf": PDF}
    assert said.inline == ({"logo1": PNG} if provider.inline else {})
    assert said.recipients == sorted(everyone)
    assert said.shown == ["cc@example.net", "to@example.net"]
    if provider.raw:
        assert said.raw.endswith(mail[mail.index(b"\r\n\r\n") :])
    relay.wait_log(r" delivered .*upstream=out")
    no_secret_in(relay)


@pytest.mark.parametrize("kind", PROVIDERS)
def test_a_recipient_who_is_nowhere_shown_stays_hidden(provided, kind):
    relay, server = provided(kind)
    submit.send(relay, messages.plain(recipient="list@example.net"), recipients=["a@example.org"])
    (request,) = server.wait(1)
    assert "a@example.org" in PROVIDERS[kind].read(request).recipients
    assert "list@example.net" not in PROVIDERS[kind].read(request).recipients


@pytest.mark.parametrize("kind", PROVIDERS)
def test_a_key_that_is_refused_suspends_and_bounces_nothing(provided, kind):
    relay, server = provided(kind)
    body = {"mandrill": {"status": "error", "code": -1, "name": "Invalid_Key", "message": "Invalid API key"},
            "elasticemail": {"Error": "APIKey Expired"},
            "smtp2go": {"data": {"error_code": "E_ApiResponseCodes.ENDPOINT_PERMISSION_DENIED", "error": "no"}},
            }.get(kind, {"message": f"the key {providers.SECRET if kind == 'ses' else providers.KEY} is wrong"})  # fmt: skip
    status = {"mandrill": 500, "elasticemail": 400, "smtp2go": 400, "ses": 403}.get(kind, 401)
    headers = {"x-amzn-ErrorType": "UnrecognizedClientException"} if kind == "ses" else {}
    server.on(status, headers, body, times=None)
    submit.send(relay)
    relay.wait_log(r"suspended upstream=out")
    submit.send(relay)
    assert len(server.requests) == 1
    assert "bounced" not in relay.whole_log()
    no_secret_in(relay)


@pytest.mark.parametrize("kind", ["ses", "sendgrid", "postmark", "resend", "sparkpost"])
def test_a_throttle_slows_the_upstream_and_loses_nothing(provided, kind):
    relay, server = provided(kind)
    headers = {"x-amzn-ErrorType": "TooManyRequestsException"} if kind == "ses" else {}
    server.on(429, {"Retry-After": "1", **headers}, {"message": "Too many requests", "ErrorCode": 429})
    for _ in range(3):
        submit.send(relay)
    relay.wait_log(r"throttled upstream=out")
    process.wait_until(lambda: relay.log().count(" delivered ") == 3, "all three", 60)


@pytest.mark.parametrize("answer", [(503, b"<html>Service unavailable</html>"), (500, b"oops"), (302, b"")])
@pytest.mark.parametrize("kind", ["resend", "brevo"])
def test_an_answer_that_nobody_documents_is_no_bounce(provided, kind, answer):
    relay, server = provided(kind)
    status, body = answer
    server.on(status, {"Location": "http://127.0.0.1:9/"} if status == 302 else {}, body)
    submit.send(relay)
    relay.wait_log(r" (deferred|uncertain) ")
    assert "bounced" not in relay.whole_log()
    if status != 302:
        process.wait_until(lambda: " delivered " in relay.log(), "the next attempt", 60)


def test_a_lost_answer_is_reported_and_not_sent_twice(provided):
    relay, server = provided("ses")
    server.on(api_server.DROP)
    submit.send(relay)
    relay.wait_log(r" uncertain .*upstream=out")
    # The report about it goes by the same upstream: the second request, and there is no third.
    second = server.wait(2)[1]
    assert b"not sent again" in PROVIDERS["ses"].read(second).raw.replace(b"\r\n", b" ")
    relay.wait_log(r" delivered .*upstream=out")
    assert len(server.requests) == 2


@pytest.mark.parametrize("kind", ["resend", "brevo"])
def test_a_lost_answer_is_asked_for_again_with_the_same_key_and_octets(provided, kind):
    relay, server = provided(kind)
    server.on(api_server.DROP)
    submit.send(relay)
    first, second = server.wait(2)[:2]
    assert first.body == second.body
    if kind == "resend":
        assert first.headers["idempotency-key"] == second.headers["idempotency-key"] != ""
    else:
        assert first.json()["headers"]["idempotencyKey"]
    relay.wait_log(r" delivered .*upstream=out")


def test_a_lost_answer_is_tried_again_if_the_operator_says_so(provided):
    relay, server = provided("ses", uncertain="retry")
    server.on(api_server.DROP)
    submit.send(relay)
    server.wait(2)
    relay.wait_log(r" delivered .*upstream=out")


def grouped(api, outposts, first, second, **keys):
    a, b = api(first), api(second)
    relay = outposts(
        None,
        upstreams={"a": upstream(first, a), "b": upstream(second, b)},
        groups={"all": {"strategy": "failover", "upstreams": ["a", "b"]}},
        accounts={outpost.ACCOUNT: {"route": "all", "password": outpost.PASSWORD,
                                    "authorized_domains": ["example.com"]}},
        **keys,
    ).start()  # fmt: skip
    return relay, a, b


def test_a_suspended_account_fails_over_to_another_provider(api, outposts):
    relay, a, b = grouped(api, outposts, "sendgrid", "mailgun")
    a.on(401, body={"errors": [{"message": "Authenticated user is not authorized to send mail"}]}, times=None)
    submit.send(relay)
    b.wait(1)
    relay.wait_log(r" delivered .*upstream=b")
    assert "bounced" not in relay.whole_log()


def test_a_sender_that_one_does_not_know_goes_by_another_and_stops_nobody(api, outposts):
    relay, a, b = grouped(api, outposts, "sendgrid", "mailgun")
    a.on(403, body={"errors": [{"message": "The from address does not match a verified Sender Identity.",
                                "field": "from"}]})  # fmt: skip
    submit.send(relay)
    b.wait(1)
    relay.wait_log(r"needs attention .*upstream=a")
    submit.send(relay, messages.plain(sender="other@example.com"), sender="other@example.com")
    assert PROVIDERS["sendgrid"].read(a.wait(2)[1]).sender == "other@example.com"
    submit.send(relay)
    b.wait(2)
    assert len(a.requests) == 2  # known to be turned away: not even asked


def test_a_signed_message_goes_by_the_provider_that_takes_it_whole(api, outposts):
    relay, a, b = grouped(api, outposts, "postmark", "ses")
    body = ("Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; "
            "boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n--b\r\n"
            "Content-Type: application/pkcs7-signature; name=smime.p7s\r\n\r\nMIIB\r\n--b--\r\n")  # fmt: skip
    mail = (messages.header("Signed") + body).encode()
    submit.send(relay, mail)
    (request,) = b.wait(1)
    assert PROVIDERS["ses"].read(request).raw.endswith(body[body.index("\r\n\r\n") :].encode())
    assert not a.requests
    relay.wait_log(r"passed on .*upstream=a")


def test_a_signed_message_that_nobody_can_carry_comes_back_with_the_reason(provided):
    relay, server = provided("sendgrid")
    body = ("Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\nHello\r\n--b\r\n"
            "Content-Type: application/pgp-signature\r\n\r\nx\r\n--b--\r\n")  # fmt: skip
    submit.send(relay, (messages.header("Signed") + body).encode())
    relay.wait_log(r" bounced .*signed")


def test_control_fields_of_a_client_do_not_reach_the_provider(provided):
    relay, server = provided("ses")
    mail = messages.plain().replace(
        b"Subject:", b"X-SES-CONFIGURATION-SET: stolen\r\nX-MC-Tags: a\r\nX-Shop: kept\r\nSubject:", 1
    )
    submit.send(relay, mail)
    raw = PROVIDERS["ses"].read(server.wait(1)[0]).raw
    assert b"stolen" not in raw and b"X-MC-Tags" not in raw and b"X-Shop: kept" in raw
    # Only an account that may use them keeps them.
    relay.overrides["accounts"] = {outpost.ACCOUNT: {
        "password": outpost.PASSWORD, "authorized_domains": ["example.com"], "route": "out",
        "provider_headers": True}}  # fmt: skip
    relay.write_config()
    relay.ctl("reload")
    submit.send(relay, mail)
    assert b"X-SES-CONFIGURATION-SET: stolen" in PROVIDERS["ses"].read(server.wait(2)[1]).raw


def test_from_reply_to_and_return_path_are_overridden(provided):
    relay, server = provided("sparkpost", **{
        "from": {"name": "Your Company", "email": "company@example.org"},
        "return_path": "bounces@bounce.example.org",
    })  # fmt: skip
    submit.send(relay)
    request = server.wait(1)[0]
    said = PROVIDERS["sparkpost"].read(request)
    assert (said.sender, said.sender_name) == ("company@example.org", "Your Company")
    assert b"Reply-To: The shop <news@example.com>" in said.raw.replace(b"\r\n ", b" ")
    assert request.json()["return_path"] == "bounces@bounce.example.org"


def test_an_upstream_is_tested_without_mail(provided):
    relay, server = provided("sendgrid")
    assert "signs in" in relay.ctl("upstream", "test", "out")
    server.on(401, body={"errors": [{"message": f"bad key {providers.KEY}"}]})
    refused = relay.ctl("upstream", "test", "out", code=75)
    assert "bad key" in refused and providers.KEY not in refused

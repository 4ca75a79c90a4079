"""Marked secrets in every place that takes one: nothing that the daemon says or writes has them."""

import base64
import json
import smtplib
import urllib.error
import urllib.request

import pytest
from harness import api_server, outpost, process, submit
from harness.providers import PROVIDERS

MARKS = ("MARKpassword", "MARKwrong", "MARKupstream", "MARKapikey", "MARKapisecret", "MARKaws", "MARKclient")


def forms(secret):
    """As it is, and as AUTH PLAIN, AUTH LOGIN and Basic write it; Base64 has three alignments."""
    plain = secret.encode()
    yield plain
    for before in (b"", b"x", b"xx"):
        coded = base64.b64encode(before + plain + b"xx")
        yield coded[4 if before else 0 : len(coded) - 8]


def assert_nothing_secret(where, octets, secrets=MARKS):
    for secret in secrets:
        for form in forms(secret):
            assert form not in octets, f"{secret} is in {where}"


@pytest.fixture
def relay(outposts, scripted, request):
    peer = scripted(users={"relay": "MARKupstream"}, starttls=False)
    refusing = scripted(users={"relay": "right"}, starttls=False)
    servers = {}
    # A server that repeats what it was given is the worst of all.
    for name, given in (("api", "MARKapikey and MARKapisecret"), ("ses", "MARKaws"), ("oauth", "MARKclient")):
        servers[name] = api_server.ApiServer(PROVIDERS["mailjet"].answer)
        request.addfinalizer(servers[name].shutdown)
        servers[name].on(401, {}, {"message": f"{given} cannot be right", "error": given}, times=None)
    (http,) = process.free_ports(1)
    login = {"username": "relay", "encryption": "none"}
    relay = outposts(
        None,
        log={"level": "debug", "format": "json"},
        control={"http": f"127.0.0.1:{http}"},
        upstreams={
            "out": outpost.smtp_upstream(peer.port, password="MARKupstream", **login),
            "refuses": outpost.smtp_upstream(refusing.port, password="MARKwrong", **login),
            "api": {"type": "mailjet", "api_key": "MARKapikey", "api_secret": "MARKapisecret",
                    "endpoint": servers["api"].url},
            "ses": {"type": "ses", "region": "eu-west-1", "access_key_id": "AKIDEXAMPLE",
                    "secret_access_key": "MARKaws", "endpoint": servers["ses"].url},
            "oauth": outpost.smtp_upstream(peer.port, username="relay", oauth2={
                "token_url": f"{servers['oauth'].url}/token", "client_id": "id", "client_secret": "MARKclient",
                "grant": "client_credentials"}),
        },
        accounts={name: {"password": "MARKpassword", "authorized_domains": ["example.com"], "route": route}
                  for name, route in ((outpost.ACCOUNT, "out"), ("refuses", "refuses"), ("api", "api"),
                                      ("ses", "ses"), ("oauth", "oauth"))},
    )  # fmt: skip
    relay.http = http
    return relay.start()


def test_secrets_appear_nowhere(relay):
    said = []
    for account in (outpost.ACCOUNT, "refuses", "api", "ses", "oauth"):
        with submit.client(relay, user=account, password="MARKpassword") as session:
            submit.transaction(session)
    for password in ("MARKwrong", "x" * 300 + "MARKwrong"):
        with pytest.raises((smtplib.SMTPAuthenticationError, smtplib.SMTPServerDisconnected)):
            submit.client(relay, password=password)
    with submit.client(relay, password="MARKpassword") as session:
        for line in ("AUTH PLAIN MARKwrong", "MARKwrong", "NOOP MARKwrong"):
            said.append(session.docmd(line)[1])
    for what in ("refuses", "api", "ses", "oauth"):
        relay.wait_log(rf'"(suspended|needs attention|deferred|unreachable)".*"{what}"')

    given = relay.ctl("--json", "account", "add", "shop", "--domains", "example.org", "--route", "out")["password"]
    again = relay.ctl("--json", "account", "reset-password", "shop")["password"]
    relay.overrides["retry"] = {"max": "2s"}
    relay.overrides["upstreams"]["refuses"]["password"] = "MARKupstream"
    relay.write_config()
    ids = [entry["id"] for entry in relay.ctl("--json", "queue", "list")]
    assert ids
    for command in (["reload"], ["status"], ["queue"], ["queue", "list"], ["upstream", "list"], ["account", "list"],
                    ["account", "show", outpost.ACCOUNT], ["account", "show", "shop"], ["history"],
                    *(["why", name] for name in ids), *(["queue", "show", name] for name in ids),
                    ["route", "--account", "api", "--from", "a@example.com", "--to", "b@example.net"]):  # fmt: skip
        said.append(relay.ctl(*command).encode())
        if command != ["reload"]:
            said.append(json.dumps(relay.ctl("--json", *command)).encode())
    for upstream in ("refuses", "api", "ses", "oauth"):
        said.append(relay.ctl("upstream", "test", upstream, code=None).encode())
        tried = ("upstream", "send-test", upstream, "--to", "a@example.net")
        said.append(relay.ctl(*tried, code=None).encode())
    for page in ("metrics", "healthz", "readyz", "nothing"):
        try:
            said.append(urllib.request.urlopen(f"http://127.0.0.1:{relay.http}/{page}").read())
        except urllib.error.HTTPError as answer:
            said.append(answer.read())
    relay.overrides["accounts"][outpost.ACCOUNT]["rate"] = "MARK/x"
    relay.write_config()
    said.append(relay.ctl("reload", code=78).encode())
    said.append(relay.check().stderr.encode())

    for octets in said:
        assert_nothing_secret("what was said", octets, (*MARKS, given, again))
    assert relay.stop() == 0
    assert_nothing_secret("the log", relay.whole_log().encode(), (*MARKS, given, again))
    stored = [file for file in relay.data.rglob("*") if file.is_file()]
    assert {"outpost.db", "history.db"} <= {file.name for file in stored}
    for file in stored:
        assert_nothing_secret(file, file.read_bytes(), (*MARKS, given, again))


def test_the_search_finds_what_it_looks_for():
    for octets in (b"MARKaws", base64.b64encode(b"\0relay\0MARKaws"), base64.b64encode(b"ab:MARKaws")):
        with pytest.raises(AssertionError):
            assert_nothing_secret("here", b"some text " + octets)

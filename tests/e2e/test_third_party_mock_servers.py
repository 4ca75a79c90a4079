"""Requests at servers that others wrote to stand in for the providers: Prism, which checks them
against a specification in its own way, and a local Amazon SES, which keeps the mail."""

import base64
import json
import pathlib
import subprocess
import urllib.error
import urllib.request

import pytest
from harness import api_requests, node_packages, outpost, process, submit
from harness.specifications import JUDGES

LISTED = pathlib.Path(__file__).parent / "mock_servers"
OLDEST_NODE = 20  # that they run on
# Prism reads OpenAPI 3 and Swagger 2, and of a form that repeats a field (Mailgun's `to`) the last.
SPECIFIED = [kind for kind in JUDGES if kind not in ("ses", "sparkpost", "mailgun")]


@pytest.fixture(scope="session")
def modules():
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, timeout=30).stdout
    if int(version.strip().lstrip("v").split(".")[0]) < OLDEST_NODE:
        pytest.skip(f"the mock servers want node {OLDEST_NODE}, this is {version.strip()}")
    place, reason = node_packages.installed(LISTED)
    if not place:
        pytest.skip(f"no mock servers: {reason}")
    return place


@pytest.fixture
def server(modules, tmp_path):
    """Starts one of them on a free port, which stands as PORT in its arguments; its base URL."""
    started = []

    def start(script, *arguments):
        port = process.free_port()
        words = [str(port) if word == "PORT" else word for word in arguments]
        command = ["node", modules / ".bin" / script, *words]
        started.append(process.Process(command, tmp_path / f"{script}.log", cwd=tmp_path))
        process.wait_until(lambda: answers(port) or not started[-1].running(), f"{script} to listen")
        assert started[-1].running(), started[-1].log()
        return f"http://127.0.0.1:{port}"

    yield start
    for one in started:
        one.kill()


def answers(port):
    try:
        get(f"http://127.0.0.1:{port}/health-check")
    except urllib.error.HTTPError:
        return True  # that it knows no such path
    except OSError:
        return False
    return True


def get(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read()


def post(base, path, request, body=None):
    """Status, header fields and body of the answer to a request at another place."""
    octets = base64.b64decode(request["body"]) if body is None else body
    wanted = urllib.request.Request(base + path, octets, request["headers"], method=request["method"])
    try:
        with urllib.request.urlopen(wanted, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers, answer.read()


@pytest.mark.parametrize("kind", SPECIFIED)
def test_prism_has_nothing_against_a_request(kind, server, tmp_path):
    judge = JUDGES[kind]
    if not judge.place.exists():
        pytest.skip(judge.missing())
    base = server("prism", "mock", "--host", "127.0.0.1", "--port", "PORT", judge.place)
    path = judge.specification().path
    for shape in ("plain", "full", "many fields"):
        for request in api_requests.of(kind, shape, tmp_path):
            status, headers, answer = post(base, path, request)
            assert not violations(headers), answer
            assert 200 <= status <= 299, answer
    # It would say so.
    status, _, _ = post(base, path, request, body=b"[]")
    assert 400 <= status <= 499


def violations(headers):
    """What Prism has against the request; its answers are made from examples that may be wrong."""
    return [one for one in json.loads(headers["sl-violations"] or "[]") if one["location"][0] == "request"]


def test_a_local_ses_gets_the_message_whole(server, outposts):
    url = server("aws-ses-v2-local", "--host", "127.0.0.1", "--port", "PORT")
    relay = outposts({"type": "ses", "endpoint": url, "region": "eu-west-1",
                      "access_key_id": "AKIDEXAMPLE", "secret_access_key": "secret"}).start()  # fmt: skip
    message, recipients = api_requests.letter("ses", "full")
    submit.send(relay, message, recipients=recipients, sender="news@example.com")
    relay.wait_log(r" delivered .*upstream=out")
    (mail,) = json.loads(get(url + "/store"))["emails"]
    assert mail["messageId"] in relay.whole_log()
    assert mail["from"] == '"Jürgen, Österreich" <news@example.com>'
    assert mail["destination"] == {"to": ['"Zoë" <to@example.net>'],
                                   "cc": ['"Čeněk" <cc@example.net>'], "bcc": []}  # fmt: skip
    assert mail["subject"] == "Grüße aus Österreich"
    assert mail["body"]["text"].strip() == "Schöne Grüße"
    files = {one["filename"]: base64.b64decode(one["content"]) for one in mail["attachments"]}
    assert files == {"Übersicht.pdf": b"%PDF-1.4\n", "logo.png": api_requests.PNG}
    assert "hidden@example.org" not in json.dumps(mail)

"""Six real clients, both ways of encryption, every login they know, through to a real Postfix."""

import clients
import pytest
from harness import messages, outpost

CASES = [
    (name, mechanism, listener)
    for name in clients.NAMES
    for mechanism in clients.MECHANISMS[name]
    for listener in ("starttls", "implicit")
]


@pytest.fixture(scope="module")
def relay(tmp_path_factory, certificate, postfix):
    place = tmp_path_factory.mktemp("clients")
    daemon = outpost.Outpost(place, certificate, postfix.upstream(verify="none")).start()
    yield daemon
    assert daemon.stop() == 0


def submission(relay, certificate, mechanism, listener, password=outpost.PASSWORD):
    return clients.Submission(
        relay.ports[listener], certificate, outpost.ACCOUNT, password,
        implicit=listener == "implicit", mechanism=mechanism,
    )  # fmt: skip


@pytest.mark.parametrize("name, mechanism, listener", CASES)
def test_delivers(relay, postfix, certificate, tmp_path, name, mechanism, listener):
    box = f"{name}-{mechanism}-{listener}".lower()
    sent = messages.html(f"By {name}", recipient=f"{box}@example.net")
    file = tmp_path / f"{box}.eml"
    file.write_bytes(sent)
    way = submission(relay, certificate, mechanism, listener)
    getattr(way, name)(outpost.SENDER, f"{box}@example.net", file)
    arrived, received = messages.without_received(postfix.wait_messages(box)[0])
    assert "by relay.test" in received
    if name == "phpmailer":
        parts = {part.get_content_type(): part for part in messages.parse(arrived).walk()}
        assert "Grüße from PHPMailer" in parts["text/plain"].get_content()
        (file,) = [part for part in parts.values() if part.get_filename() == "data.bin"]
        assert file.get_payload(decode=True) == b"\x00\xff\r\n." * 1000
    else:
        assert arrived.rstrip(b"\r\n") == sent.rstrip(b"\r\n")


@pytest.mark.parametrize("name", clients.NAMES)
def test_learns_that_the_password_is_wrong(relay, certificate, tmp_path, name):
    file = tmp_path / "never.eml"
    file.write_bytes(messages.plain())
    way = submission(relay, certificate, "PLAIN", "starttls", password="wrong")
    with pytest.raises(Exception, match=r"535|[Aa]uthenticat|[Ll]ogin denied|password"):
        getattr(way, name)(outpost.SENDER, "nobody@example.net", file)
    assert "delivered" not in relay.log() or "nobody@example.net" not in relay.log()

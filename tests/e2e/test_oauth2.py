"""SMTP upstreams that want an OAuth 2 token instead of a password."""

import pytest
from harness import outpost, submit, tokens

SECRET = "the client's secret"


@pytest.fixture
def token_server():
    server = tokens.TokenServer()
    yield server
    server.shutdown()


def upstream(peer, server, **keys):
    oauth2 = {"token_url": server.url, "client_id": "outpost", "client_secret": SECRET,
              "grant": "client_credentials", "scope": "https://mail.test/.default", **keys}  # fmt: skip
    return outpost.smtp_upstream(peer.port, encryption="starttls", verify="none",
                                 username="relay@example.net", oauth2=oauth2)  # fmt: skip


def logins(peer):
    return [command for c in peer.connections for command in c.commands if command.startswith("AUTH")]


@pytest.mark.parametrize("mechanisms", ["XOAUTH2", "PLAIN XOAUTH2 OAUTHBEARER"])
def test_mail_goes_with_one_token_for_all_connections(outposts, scripted, token_server, mechanisms):
    peer = scripted(tokens={"token-1"}, mechanisms=mechanisms)
    keys = upstream(peer, token_server)
    relay = outposts({**keys, "messages_per_connection": 1}).start()
    for _ in range(5):
        submit.send(relay)
    arrived = peer.wait_messages(5)
    assert all(m.user == "relay@example.net" and m.tls for m in arrived)
    assert len(logins(peer)) == 5
    assert all(login.split(" ")[1] == mechanisms.split(" ")[-1] for login in logins(peer))
    assert token_server.requests == [
        {"grant_type": "client_credentials", "client_id": "outpost", "client_secret": SECRET,
         "scope": "https://mail.test/.default"}]  # fmt: skip
    assert SECRET not in relay.whole_log() and "token-1" not in relay.whole_log()


def test_a_refresh_token_is_exchanged(outposts, scripted, token_server):
    peer = scripted(tokens={"token-1"})
    keys = upstream(peer, token_server)
    del keys["oauth2"]["grant"]
    keys["oauth2"]["refresh_token"] = "the refresh token"
    relay = outposts(keys).start()
    submit.send(relay)
    peer.wait_messages(1)
    assert token_server.requests[0]["grant_type"] == "refresh_token"
    assert token_server.requests[0]["refresh_token"] == "the refresh token"


def test_a_refused_token_is_renewed_at_once(outposts, scripted, token_server):
    peer = scripted(tokens={"token-2"})
    relay = outposts(upstream(peer, token_server)).start()
    submit.send(relay)
    peer.wait_messages(1)
    assert len(token_server.requests) == 2 and len(logins(peer)) == 2
    assert "deferred" not in relay.whole_log()


def test_tokens_that_are_refused_again_suspend_the_upstream_and_keep_the_mail(
    outposts, scripted, token_server
):
    peer = scripted(tokens=set())
    relay = outposts(upstream(peer, token_server)).start()
    for _ in range(3):
        submit.send(relay)
    relay.wait_log("535 5.7.3")
    relay.wait_log("suspended")
    assert relay.stop() == 0
    assert len(logins(peer)) <= 6  # twice for each that was under way, and not for each retry
    assert not peer.messages and "bounced" not in relay.whole_log()
    peer.tokens = {f"token-{number}" for number in range(1, 100)}
    relay.start()
    peer.wait_messages(3)


def test_mail_waits_while_the_token_server_is_out_of_order(outposts, scripted, token_server):
    peer = scripted(tokens={"token-2"})
    token_server.on(503, {"error": "temporarily_unavailable"})
    relay = outposts(upstream(peer, token_server)).start()
    submit.send(relay)
    peer.wait_messages(1)
    assert "cannot get a token: temporarily_unavailable" in relay.whole_log()
    assert len(logins(peer)) == 1 and "bounced" not in relay.whole_log()


def test_a_wrong_client_secret_suspends_the_upstream(outposts, scripted, token_server):
    peer = scripted(tokens={"token-1"})
    error = {"error": "invalid_client", "error_description": f"no such secret: {SECRET}"}
    token_server.on(401, error, times=100)
    relay = outposts(upstream(peer, token_server)).start()
    submit.send(relay)
    relay.wait_log(r"cannot get a token: invalid_client: no such secret: \*\*\*")
    relay.wait_log("suspended")
    assert not peer.connections and SECRET not in relay.whole_log()
    assert "bounced" not in relay.whole_log()

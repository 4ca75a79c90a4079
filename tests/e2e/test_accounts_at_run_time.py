"""Accounts that are made, changed and removed while the daemon runs."""

import re
import smtplib
import sqlite3
import subprocess
import urllib.request

import pytest
from harness import messages, outpost, process, submit

DOMAIN = "shop.example"
SENDER = f"orders@{DOMAIN}"


@pytest.fixture
def relay(outposts, peer):
    """A daemon with one account in its file and `shop`, made at run time; its password."""
    relay = outposts(outpost.smtp_upstream(peer.port)).start()
    relay.password = add(relay, "shop", "--domains", DOMAIN)
    yield relay
    assert relay.password not in relay.whole_log()


def add(relay, name, *settings):
    return relay.ctl("--json", "account", "add", name, *settings)["password"]


def show(relay, name="shop"):
    return relay.ctl("--json", "account", "show", name)


def client(relay, name="shop", password=None):
    return submit.client(relay, user=name, password=password or relay.password)


def send(relay, sender=SENDER, name="shop", password=None, **keys):
    with client(relay, name, password) as connection:
        return submit.transaction(connection, mail_of(sender), sender, **keys)


def mail_of(sender=SENDER):
    return messages.plain().replace(outpost.SENDER.encode(), sender.encode())


def refusal(action):
    with pytest.raises((smtplib.SMTPResponseException, smtplib.SMTPAuthenticationError)) as caught:
        action()
    return f"{caught.value.smtp_code} {getattr(caught.value.smtp_error, 'decode', str)()}"


def test_an_account_is_added_and_sends(relay, peer):
    send(relay)
    assert peer.wait_messages(1)[0].sender == SENDER
    assert "550 5.7.1" in refusal(lambda: send(relay, "ceo@elsewhere.example"))
    account = show(relay)
    assert account["origin"] == "added" and account["state"] == "active" and account["route"] == "out"
    assert account["authorized_domains"] == [DOMAIN] and account["created"]
    names = [(a["name"], a["origin"]) for a in relay.ctl("--json", "account", "list")]
    assert names == [(outpost.ACCOUNT, "file"), ("shop", "added")]
    assert "shop" in relay.ctl("account", "list") and DOMAIN in relay.ctl("account", "show", "shop")


def test_the_answer_says_what_to_type_into_a_client(relay):
    told = relay.ctl("account", "add", "web", "--domains", "web.example", "--reason", "ticket 4711")
    password = re.search(r"password  (\S{24})$", told, re.MULTILINE)[1]
    assert "It may send as web.example" in told
    assert "It may send as nobody yet" in relay.ctl("account", "add", "mute")
    assert "relay.test" in told and f"{relay.ports['starttls']} with STARTTLS" in told
    send(relay, "a@web.example", name="web", password=password)
    line = relay.wait_log(r'operator does="account add" account=web .*')[0]
    assert "domains=web.example" in line and 'why="ticket 4711"' in line


def test_swaks_signs_in_with_the_generated_password(relay, peer):
    done = subprocess.run(
        ["swaks", "--server", f"127.0.0.1:{relay.ports['starttls']}", "--tls", "--auth", "PLAIN",
         "--auth-user", "shop", "--auth-password", relay.password, "--from", SENDER,
         "--to", "you@example.net", "--h-From", SENDER],
        capture_output=True, text=True, timeout=60)  # fmt: skip
    assert done.returncode == 0, done.stdout
    peer.wait_messages(1)


def test_values_are_judged_as_those_of_the_configuration(relay):
    def wrong(*settings):
        return relay.ctl("account", "add", "web", *settings, code=64)

    assert 'domains: "a@b.example" is an address; it belongs in' in wrong("--domains", "a@b.example")
    assert 'quota: "10000/week" is not a quota; write COUNT/hour' in wrong("--quota", "10000/week")
    assert 'quota: "x" is not a whole number' in wrong("--quota", "x/day")
    assert 'when-exceeded: "wait" is none of reject, hold' in wrong(
        "--quota", "9/day", "--when-exceeded", "wait")  # fmt: skip
    assert 'rate: "1200/x" is not a rate' in wrong("--rate", "1200/x")
    assert 'priority: "7" is not a whole number from 1 to 5' in wrong("--priority", "7")
    assert 'networks: "192.0.2.1/24" is not a network' in wrong("--networks", "192.0.2.1/24")
    assert 'route: there is no upstream "nowhere"' in wrong("--route", "nowhere")
    both = wrong("--priority", "7", "--max-recipients", "0")
    assert "priority: " in both and "max-recipients: " in both
    assert 'priority: "7"' in relay.ctl("account", "set", "shop", "--priority", "7", code=64)
    assert show(relay)["priority"] == 3
    assert "there is no account web" in relay.ctl("account", "show", "web", code=66)
    assert "did you mean shop?" in relay.ctl("account", "set", "shpo", "--note", "x", code=66)
    assert "there already" in relay.ctl("account", "add", "shop", code=64)


def test_what_is_not_set_is_inherited(outposts, peer):
    defaults = {"priority": 2, "quota": {"daily": 50}, "route": "out"}
    accounts = {"defaults": defaults}
    relay = outposts(outpost.smtp_upstream(peer.port), accounts=accounts).start()
    add(relay, "web", "--quota", "7/day;100/month", "--timezone", "Europe/Amsterdam")
    add(relay, "plain")
    assert show(relay, "plain")["priority"] == 2 and show(relay, "plain")["quota"]["daily"] == 50
    web = show(relay, "web")
    assert web["priority"] == 2 and web["quota"] == {
        "hourly": None, "daily": 7, "monthly": 100, "timezone": "Europe/Amsterdam",
        "when_exceeded": "reject"}  # fmt: skip
    relay.ctl("account", "set", "web", "--quota", "", "--timezone", "")
    assert show(relay, "web")["quota"]["daily"] == 50


def test_a_change_holds_for_the_next_command_of_open_sessions(relay):
    with client(relay) as connection:
        submit.transaction(connection, mail_of(), SENDER)
        relay.ctl("account", "set", "shop", "--domains", "other.example")
        assert connection.mail(SENDER)[0] == 550
        assert connection.mail("a@other.example")[0] == 250
        connection.rset()
        relay.ctl("account", "set", "shop", "--max-message-size", "10KB", "--max-recipients", "1")
        assert connection.mail("a@other.example", ["SIZE=20000"])[0] == 552
        assert connection.mail("a@other.example")[0] == 250
        assert connection.rcpt("a@example.net")[0] == 250
        assert connection.rcpt("b@example.net")[0] == 452


@pytest.mark.parametrize("change", [["disable"], ["remove"], ["reset-password"]])
def test_open_sessions_end(relay, change):
    with client(relay) as idle, client(relay) as busy:
        assert busy.mail(SENDER)[0] == 250
        relay.ctl("account", *change, "shop")
        for connection in (idle, busy):
            # Without a command of the client: it is told at once.
            code, words = connection.getreply()
            again = change == ["reset-password"]
            assert code == 421 and (b"sign in again" in words) == again
            assert (b"no longer valid" in words) == (not again)
            connection.close()
    expected = "525 5.7.13" if change == ["disable"] else "535 5.7.8"
    assert expected in refusal(lambda: send(relay))


def test_networks_hold_for_open_sessions(relay):
    with client(relay) as connection:
        relay.ctl("account", "set", "shop", "--networks", "192.0.2.0/24")
        assert connection.getreply()[0] == 421
        connection.close()
    assert "535" in refusal(lambda: client(relay))


def test_a_disabled_account_is_enabled_again(relay):
    relay.ctl("account", "disable", "shop", "--reason", "unpaid")
    assert show(relay)["state"] == "disabled"
    relay.wait_log(r'operator does="account disable" account=shop .*why=unpaid')
    assert relay.stop() == 0
    relay.start()
    assert "525" in refusal(lambda: send(relay))
    relay.ctl("account", "enable", "shop")
    send(relay)


def test_a_changed_quota_keeps_its_counter(relay):
    relay.ctl("account", "set", "shop", "--quota", "3/day")
    with client(relay) as connection:
        for _ in range(2):
            submit.transaction(connection, mail_of(), SENDER)
        assert [(x["used"], x["most"]) for x in show(relay)["limits"]] == [(2, 3)]
        relay.ctl("account", "set", "shop", "--quota", "4/day")
        submit.transaction(connection, mail_of(), SENDER)
        submit.transaction(connection, mail_of(), SENDER)
        assert "quota" in refusal(lambda: submit.transaction(connection, mail_of(), SENDER)).lower()
    # Neither taking it away nor a new account of the same name gives it back.
    relay.ctl("account", "set", "shop", "--quota", "")
    assert show(relay)["limits"] == []
    relay.ctl("account", "remove", "shop")
    relay.password = add(relay, "shop", "--domains", DOMAIN, "--quota", "4/day")
    assert "quota" in refusal(lambda: send(relay)).lower()


def test_accounts_survive_a_crash(relay):
    other = add(relay, "web", "--domains", "web.example", "--note", "the web shop; two")
    relay.ctl("account", "set", "shop", "--priority", "2")
    relay.kill()
    relay.start()
    send(relay)
    send(relay, "a@web.example", name="web", password=other)
    assert show(relay)["priority"] == 2 and show(relay, "web")["note"] == "the web shop; two"


def test_mail_of_a_removed_account_is_delivered_within_its_limits(relay, peer):
    relay.ctl("account", "set", "shop", "--rate", "2/h")
    relay.ctl("upstream", "pause", "out")
    for _ in range(3):
        send(relay)
    relay.ctl("account", "remove", "shop")
    assert show(relay)["state"] == "removed" and show(relay)["queued"] == 3
    assert "there is no account" in relay.ctl("account", "set", "shop", "--rate", "9/s", code=66)
    # Also after a restart, in which mail gets its way anew.
    assert relay.stop() == 0
    relay.start()
    relay.ctl("upstream", "resume", "out")
    peer.wait_messages(2)
    process.wait_until(lambda: show(relay)["queued"] == 1, "the second delivery")
    (left,) = relay.ctl("--json", "queue", "list")
    assert "rate 2/h of account shop" in left["reason"]
    assert len(peer.messages) == 2


def test_accounts_of_the_configuration_are_changed_there(relay):
    line = relay.file.read_text().splitlines().index(f"  {outpost.ACCOUNT}:") + 1
    place = f"account app is in the configuration, at {relay.file}:{line}:3; "
    for what in (["set", "--note", "x"], ["remove"], ["reset-password"]):
        assert place in relay.ctl("account", what[0], outpost.ACCOUNT, *what[1:], code=64)
    assert place in relay.ctl("account", "add", outpost.ACCOUNT, code=64)
    assert show(relay, outpost.ACCOUNT)["place"] == f"{relay.file}:{line}:3"
    relay.ctl("account", "disable", outpost.ACCOUNT)
    assert relay.stop() == 0
    relay.start()
    assert show(relay, outpost.ACCOUNT)["state"] == "disabled"
    assert "525" in refusal(lambda: submit.send(relay))
    relay.ctl("account", "enable", outpost.ACCOUNT)
    submit.send(relay)


def test_a_name_in_both_places_stops_the_start_and_says_where(relay):
    assert relay.stop() == 0
    accounts = relay.config()["accounts"]
    relay.overrides["accounts"] = {**accounts, "shop": {"password": "other", "route": "out"}}
    relay.write_config()
    line = relay.file.read_text().splitlines().index("  shop:") + 1
    expected = f"{relay.file}:{line}:3: account shop was also made with `outpostctl account add`"
    checked = relay.check()
    assert checked.returncode == 78 and expected in checked.stderr
    daemon = relay.launch()
    assert daemon.wait() == 78 and expected in daemon.log()
    del relay.overrides["accounts"]
    relay.start()
    send(relay)


def test_an_account_whose_route_is_gone_waits_for_another(outposts, peer):
    upstreams = {"out": outpost.smtp_upstream(peer.port), "old": outpost.smtp_upstream(peer.port)}
    relay = outposts(None, upstreams=upstreams).start()
    relay.password = add(relay, "shop", "--domains", DOMAIN, "--route", "old")
    assert relay.stop() == 0
    del upstreams["old"]
    relay.write_config()
    checked = relay.check()
    assert checked.returncode == 78 and 'route: there is no upstream "old"' in checked.stderr
    relay.start()
    assert show(relay)["state"] == "faulty" and 'upstream "old"' in show(relay)["fault"]
    assert "525" in refusal(lambda: send(relay))
    relay.ctl("account", "set", "shop", "--route", "out")
    send(relay)


def test_the_password_is_nowhere(relay):
    relay.overrides["log"] = {"level": "debug"}
    assert relay.stop() == 0
    relay.start()
    send(relay)
    second = relay.ctl("--json", "account", "reset-password", "shop")["password"]
    assert second != relay.password
    send(relay, password=second)
    assert "535" in refusal(lambda: send(relay))
    assert "535" in refusal(lambda: send(relay, password=second + "x"))
    seen = relay.ctl("account", "show", "shop") + relay.ctl("account", "list")
    seen += str(show(relay)) + str(relay.ctl("--json", "account", "list"))
    with sqlite3.connect(relay.data / "outpost.db") as database:
        (kept,) = database.execute("SELECT password_hash FROM account").fetchone()
    assert kept.startswith("SCRAM-SHA-256$4096:") and kept not in relay.whole_log() + seen
    files = b"".join(file.read_bytes() for file in relay.data.rglob("*") if file.is_file())
    for password in (relay.password, second):
        assert password not in seen + relay.whole_log()
        assert password.encode() not in files


def test_a_relay_may_begin_without_any_account(outposts, peer):
    relay = outposts(outpost.smtp_upstream(peer.port), accounts={"defaults": {"route": "out"}})
    settings = relay.config()
    relay.config = lambda: {k: v for k, v in settings.items() if k != "accounts"} | {
        "listen": [{"address": "127.0.0.1", "ports": [p], **relay.listeners[n]}
                   for n, p in relay.ports.items()]}  # fmt: skip
    relay.start()
    assert "account add" in relay.ctl("account", "list")
    relay.password = add(relay, "shop", "--domains", DOMAIN)
    send(relay)
    peer.wait_messages(1)


def test_a_lock_out_is_shown_and_ended_by_the_operator(outposts, peer):
    relay = outposts(
        outpost.smtp_upstream(peer.port),
        submission={"auth_failures": {"per_address": "1000/1h", "per_account": "2/1h"}},
    ).start()
    relay.password = add(relay, "shop", "--domains", DOMAIN)
    assert show(relay)["locked_until"] is None
    for end in ("enable", "reset-password"):
        for _ in range(2):
            assert "535" in refusal(lambda: send(relay, password="wrong"))
        assert "454 4.7.0" in refusal(lambda: send(relay))
        assert show(relay)["locked_until"] > show(relay)["created"]
        relay.ctl("account", end, "shop")
        assert show(relay)["locked_until"] is None


def test_a_removed_account_leaves_the_metrics(outposts, peer):
    port = process.free_ports(1)[0]
    relay = outposts(outpost.smtp_upstream(peer.port), control={"http": f"127.0.0.1:{port}"}).start()
    relay.password = add(relay, "shop", "--domains", DOMAIN, "--quota", "100/day")

    def page():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
            return answer.read().decode()

    assert 'name="shop"' in page()
    relay.ctl("account", "remove", "shop")
    assert 'name="shop"' not in page()

"""What /metrics says is what happened, and docs/metrics.md describes all of it."""

import re
import smtplib
import socket
import subprocess

import pytest
from harness import messages, outpost, process, submit
from prometheus_client.parser import text_string_to_metric_families

ROW = re.compile(r"^\| `(outpost_\w+)` \| (\w+) \| ([\w, ]*?) ?\| (.+?) \|(?: `.*)? \|$", re.MULTILINE)


class Scrape:
    """The families of one answer, and a way to ask for a value."""

    def __init__(self, text):
        self.families = {}
        for family in text_string_to_metric_families(text):
            # The parser calls a counter by its name without _total.
            name = family.name + ("_total" if family.type == "counter" else "")
            self.families[name] = family

    def samples(self, name):
        return [
            sample
            for family in self.families.values()
            for sample in family.samples
            if sample.name == name
        ]

    def value(self, metric, **labels):
        found = [s.value for s in self.samples(metric) if labels.items() <= s.labels.items()]
        assert found, (metric, labels)
        return sum(found)


@pytest.fixture
def measured(outposts, peer):
    """Makes a running daemon with `control.http`; returns it and a function that scrapes it."""

    def make(**config):
        port = process.free_ports(1)[0]
        relay = outposts(outpost.smtp_upstream(peer.port, **config.pop("out", {})),
                         control={"http": f"127.0.0.1:{port}"}, **config).start()  # fmt: skip

        def scrape():
            done = subprocess.run(
                ["curl", "-sS", "--fail", "-i", f"http://127.0.0.1:{port}/metrics"],
                capture_output=True, text=True, timeout=30, check=True)  # fmt: skip
            head, _, body = done.stdout.partition("\n\n")
            assert "text/plain; version=0.0.4" in head
            return Scrape(body)

        return relay, scrape

    return make


def settled(scrape, count):
    """The first scrape in which so many recipients have been dealt with."""

    def look():
        seen = scrape()
        done = seen.value("outpost_delivery_recipients_total") >= count
        return seen if done and seen.value("outpost_spool_messages") == 0 else None

    return process.wait_until(look, f"{count} recipients in the metrics")


def test_the_page_describes_every_metric_and_no_other(measured):
    relay, scrape = measured(out={"rate": "1000/s"})
    submit.send(relay)
    seen = settled(scrape, 1)
    page = (process.ROOT / "docs/metrics.md").read_text()
    rows = {name: (kind, set(filter(None, labels.split(", ")))) for name, kind, labels, _ in ROW.findall(page)}
    assert len(rows) == len(re.findall(r"^\| `outpost_", page, re.MULTILINE))
    assert set(rows) == set(seen.families)
    for name, (kind, labels) in rows.items():
        family = seen.families[name]
        assert family.type == kind, name
        assert family.documentation.endswith("."), name
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == labels, name
    for name in set(re.findall(r"outpost_\w+", page)):
        assert re.sub(r"_(bucket|count|sum)$", "", name) in rows, f"an alert names {name}"
    for reason in {s.labels["reason"] for s in seen.samples("outpost_refused_total")}:
        assert re.search(rf"\b{reason}\b", page.partition("Reasons:")[2]), reason
    for name, label in (("outpost_logins_total", "result"), ("outpost_logins_total", "mechanism"),
                        ("outpost_delivery_recipients_total", "outcome"),
                        ("outpost_delivery_seconds_count", "stage"),
                        ("outpost_upstream_state", "state")):  # fmt: skip
        row = re.search(rf"^\| `{name.removesuffix('_count')}`.*", page, re.MULTILINE).group()
        for sample in seen.samples(name):
            assert re.search(rf"\b{sample.labels[label]}\b", row), (name, sample.labels)


def test_counters_equal_what_was_sent(measured, peer):
    relay, scrape = measured()
    first = scrape()
    assert first.value("outpost_accepted_messages_total") == 0
    assert first.value("outpost_queue_oldest_seconds") == 0
    peer.on("rcpt", "550 5.1.1 No such user", times=1)
    submit.send(relay, recipients=["gone@example.net"])
    for number in range(4):
        submit.send(relay, recipients=[f"a{number}@example.net", f"b{number}@example.net"])
    seen = settled(scrape, 10)  # nine, and the report about one of them
    assert seen.value("outpost_accepted_messages_total") == 5
    assert seen.value("outpost_accepted_recipients_total") == 9
    assert seen.value("outpost_accepted_bytes_total") > 5 * len(messages.plain())
    out = {"upstream": "out"}
    assert seen.value("outpost_delivery_recipients_total", outcome="delivered", **out) == 9
    assert seen.value("outpost_delivery_recipients_total", outcome="bounced", **out) == 1
    assert seen.value("outpost_reports_total", kind="failed") == 1
    assert seen.value("outpost_delivery_seconds_count", stage="total", **out) == 6
    assert 1 <= seen.value("outpost_delivery_seconds_count", stage="connect", **out) <= 6
    assert seen.value("outpost_queue_seconds_count", priority="3") == 5
    assert seen.value("outpost_sessions_total", tls="starttls") >= 5
    assert seen.value("outpost_tls_handshakes_total", version="TLSv1.3") == 5
    assert seen.value("outpost_logins_total", mechanism="PLAIN", result="success") == 5
    assert seen.value("outpost_logins_total") == 5
    assert seen.value("outpost_refused_total") == 0
    assert seen.value("outpost_spool_commit_records_sum") >= 6
    assert seen.value("outpost_spool_commit_records_count") == seen.value("outpost_spool_sync_seconds_count")
    assert seen.value("outpost_spool_bytes") > 0 and seen.value("outpost_spool_segments") >= 1
    assert seen.value("outpost_spool_free_bytes") > 0
    process.wait_until(lambda: scrape().value("outpost_sessions_open") == 0, "no open session")


def test_refusals_are_counted_by_reason(measured):
    relay, scrape = measured(accounts={outpost.ACCOUNT: {
        "password": outpost.PASSWORD, "authorized_domains": ["example.com"], "route": "out",
        "quota": {"daily": 1, "when_exceeded": "reject"}}})  # fmt: skip

    def refused(**keys):
        with pytest.raises(smtplib.SMTPResponseException):
            submit.send(relay, **keys)

    refused(sender="a@example.org")
    refused(message=messages.plain(sender="a@example.org"))
    refused(password="wrong")
    refused(recipients=["a@example.net", "b@example.net"])
    refused(message=b"From: news@example.com\r\n\r\na\0b\r\n")
    with socket.create_connection(("127.0.0.1", relay.ports["starttls"]), timeout=30) as plain:
        lines = plain.makefile("rb")
        lines.readline()
        for command in (b"MAIL FROM:<a@example.com>", b"FOO", b"EHLO x", b"MAIL FROM:<a@example.com>"):
            plain.sendall(command + b"\r\n")
            while lines.readline()[3:4] == b"-":
                pass
    seen = scrape()
    got = {s.labels["reason"]: s.value for s in seen.samples("outpost_refused_total") if s.value}
    assert got == {"sender": 2, "quota": 1, "content": 1, "protocol": 1, "not_encrypted": 2}
    assert seen.value("outpost_logins_total", mechanism="PLAIN", result="wrong_credentials") == 1


def test_handshakes_that_fail_are_counted(measured):
    relay, scrape = measured()

    def failures():
        return scrape().value("outpost_tls_handshake_failures_total")

    # The harness has looked whether the port is open.
    process.wait_until(lambda: failures() == 1, "the harness's own")
    with socket.create_connection(("127.0.0.1", relay.ports["implicit"]), timeout=30) as no_tls:
        no_tls.sendall(b"EHLO not.tls\r\n")
        process.wait_until(lambda: failures() == 2, "the failed handshake")
    assert scrape().value("outpost_tls_handshakes_total") == 0


def test_what_waits_is_shown_with_its_limit(measured):
    relay, scrape = measured(out={"rate": "2/h"})
    for _ in range(5):
        submit.send(relay)

    def look():
        seen = scrape()
        waiting = [s.value for s in seen.samples("outpost_limit_waiting_messages")]
        return seen if waiting == [3] else None

    seen = process.wait_until(look, "three messages that wait for the limit")
    limit = {"owner": "upstream", "name": "out", "limit": "2/h"}
    assert seen.value("outpost_limit_used", **limit) == 2
    assert seen.value("outpost_limit_left", **limit) == 0
    assert seen.value("outpost_limit_waiting_messages", owner="upstream", name="out") == 3
    assert seen.value("outpost_queue_messages", upstream="out", priority="3", state="ready") == 3
    assert seen.value("outpost_spool_messages") == 3
    assert seen.value("outpost_queue_oldest_seconds") >= 0


def test_state_of_upstreams_and_certificates(measured, certificate):
    relay, scrape = measured()
    relay.ctl("upstream", "pause", "out")
    seen = scrape()
    states = {s.labels["state"]: s.value for s in seen.samples("outpost_upstream_state")}
    assert [state for state, value in states.items() if value] == ["paused"]
    told = subprocess.run(["openssl", "x509", "-noout", "-enddate", "-dateopt", "iso_8601", "-in", certificate.chain],
                          capture_output=True, text=True, check=True).stdout  # fmt: skip
    expiry = seen.value("outpost_certificate_expiry_timestamp_seconds", file=str(certificate.chain))
    parsed = subprocess.run(["date", "-u", "-d", told.strip().partition("=")[2], "+%s"],
                            capture_output=True, text=True, check=True).stdout  # fmt: skip
    assert expiry == int(parsed)
    assert seen.value("outpost_build_info") == 1
    assert seen.value("outpost_spool_accepting") == 1


def test_no_address_is_ever_a_label(measured):
    relay, scrape = measured()
    with pytest.raises(smtplib.SMTPResponseException):
        submit.send(relay, sender="a-very-odd-sender@example.org")
    with pytest.raises(smtplib.SMTPResponseException):
        submit.send(relay, user="a-very-odd-user", password="x")
    submit.send(relay, recipients=["a-very-odd-recipient@example.net"])
    seen = settled(scrape, 1)
    labels = {value for f in seen.families.values() for s in f.samples for value in s.labels.values()}
    assert labels and not [value for value in labels if "odd" in value or "@" in value]

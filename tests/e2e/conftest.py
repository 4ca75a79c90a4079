"""Fixtures: certificate, daemon, scripted upstream, private Postfix. Everything stops by its pid."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import certificates, mailbox, node_packages, outpost, upstream  # noqa: E402


def pytest_terminal_summary(terminalreporter):
    for note in node_packages.notes:
        terminalreporter.write_line(note)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    return certificates.make(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def scripted(certificate):
    """Makes scripted upstreams; see harness/upstream.py."""
    made = []

    def make(**keys):
        made.append(upstream.ScriptedUpstream(certificate, **keys))
        return made[-1]

    yield make
    for one in made:
        one.shutdown()


@pytest.fixture
def peer(scripted):
    """One scripted upstream without TLS and AUTH."""
    return scripted(starttls=False)


@pytest.fixture
def outposts(tmp_path, certificate, scripted):
    """Makes daemons; the first argument is the upstream's configuration. Not started yet.

    It asks for `scripted` so that daemons end before their upstreams do.
    """
    made = []

    def make(out, directory=None, **keys):
        place = tmp_path / (directory or f"outpost{len(made)}")
        made.append(outpost.Outpost(place, certificate, out, **keys))
        return made[-1]

    yield make
    for one in made:
        if one.daemon and one.daemon.running():
            assert one.stop() == 0, one.whole_log()[-4000:]
        log = one.directory / "stderr"
        if log.exists():
            text = log.read_text(errors="replace")
            assert outpost.PASSWORD not in text
            assert "ERROR: AddressSanitizer" not in text and "runtime error:" not in text


@pytest.fixture
def relay(outposts, peer):
    """A running daemon in front of `peer`."""
    return outposts(outpost.smtp_upstream(peer.port)).start()


@pytest.fixture(scope="session")
def postfix(tmp_path_factory, certificate):
    """A private Postfix that takes mail over STARTTLS with AUTH and keeps it in maildirs."""
    server = mailbox.PostfixMailbox(tmp_path_factory.mktemp("postfix"), certificate)
    server.start_all()
    yield server
    server.stop()

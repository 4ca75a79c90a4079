"""With --json whatever outpostctl says is JSON, errors too; the exit codes stay."""

import json
import subprocess

from harness import outpost


def test_errors_are_json(relay):
    assert "there is no account nobody" in relay.ctl(
        "--json", "account", "show", "nobody", code=66
    )["error"]  # fmt: skip
    assert "foo" in relay.ctl("--json", "foo", code=64)["error"]
    assert relay.ctl("--json", "queue", "hold", code=64)["error"]
    nowhere = subprocess.run([outpost.CTL, "--socket", "/nonexistent", "--json", "status"],
                             capture_output=True, text=True, timeout=30)  # fmt: skip
    assert nowhere.returncode == 69 and json.loads(nowhere.stdout)["error"]


def test_faults_of_a_configuration_are_json(relay):
    check = ("--json", "config", "check", str(relay.file))
    assert relay.ctl(*check) == {"errors": []}
    relay.file.write_text(relay.file.read_text() + "\nlisen: 1\nacounts: 2\n")
    for command in (check, ("--json", "reload")):
        errors = relay.ctl(*command, code=78)["errors"]
        assert len(errors) == 2 and "lisen: is not a known key" in errors[0]


def test_an_unknown_command_is_named(relay):
    assert "there is no command foo" in relay.ctl("foo", code=64)
    assert "there is no command bar" in relay.ctl("queue", "bar", code=64)

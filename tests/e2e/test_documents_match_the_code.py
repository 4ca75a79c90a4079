"""What the code knows is documented, and nothing else is."""

import re
import subprocess

import pytest
import yaml
from harness import outpost, process

MAN = process.ROOT / "man"
PAGES = ("outpostd.8", "outpost.yaml.5")


def keys_of_the_loader():
    """Every key that lib/config asks for; `find` and `read` are how it asks."""
    keys = set()
    for source in sorted((process.ROOT / "lib/config").glob("*.cpp")):
        text = source.read_text()
        keys.update(re.findall(r'\b(?:find|read)\(\s*"(\w+)"', text))
        keys.update(re.findall(r'\b(?:subsection|read_secret|read_entries|read_rates|read_some)\(\w+, "(\w+)"', text))
    return keys - {"fingerprint", "email"}  # forms of a value, described with `verify` and `from`


def keys_of_the_manual():
    """The tags of lists (`.It Ic a.b , c`) and the headings of sections that are keys."""
    text = (MAN / "outpost.yaml.5").read_text()
    keys = set()
    for line in re.findall(r"^\.It Ic (.*)$", text, re.MULTILINE):
        keys.update(part for word in line.split(" , ") for part in word.split("."))
    for line in re.findall(r"^\.Ss (.*)$", text, re.MULTILINE):
        keys.update(re.findall(r"under (\w+)", line) or re.findall(r"^([a-z]+)$", line))
    keys.update(re.findall(r"pairs of\n\.Ic (\w+) ,\n.*\n\.Ic (\w+) ,", text)[0])
    return keys


def test_every_key_of_the_configuration_is_in_the_manual():
    assert len(keys_of_the_loader()) > 50
    assert keys_of_the_loader() == keys_of_the_manual()


@pytest.mark.parametrize("page", PAGES)
def test_the_manual_pages_are_well_formed(page):
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", MAN / page], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_every_option_is_in_the_manual():
    told = subprocess.run([outpost.DAEMON, "--help"], capture_output=True, text=True).stdout
    options = set(re.findall(r"--([a-z]+)", told)) - {"help"}
    manual = set(re.findall(r"Fl Fl (\w+)", (MAN / "outpostd.8").read_text()))
    assert options == manual


def test_the_examples_load(tmp_path, certificate):
    """The sample configuration and the examples of README and manual, with files that exist."""
    samples = {"conf/outpost.yaml": (process.ROOT / "conf/outpost.yaml").read_text()}
    manual = (MAN / "outpost.yaml.5").read_text()
    samples["man"] = re.search(r"\.Bd -literal\n(.*?)\.Ed", manual, re.DOTALL).group(1)
    readme = (process.ROOT / "README.md").read_text()
    for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)):
        samples[f"README {number}"] = block
    secret = tmp_path / "secret"
    secret.write_text("a secret\n")
    for name, text in samples.items():
        text = re.sub(r"[\w/.]*fullchain\.pem", str(certificate.chain), text)
        text = re.sub(r"[\w/.]*privkey\.pem", str(certificate.key), text)
        text = re.sub(r"\{(?:file|credential): [^}]*\}", f"{{file: {secret}}}", text)
        assert yaml.safe_load(text)
        file = tmp_path / "sample.yaml"
        file.write_text(text)
        done = subprocess.run([outpost.DAEMON, "--check", "--config", file],
                              capture_output=True, text=True)  # fmt: skip
        assert done.returncode == 0, f"{name}: {done.stderr}"

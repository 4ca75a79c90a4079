"""Packages of node: npm's, of the versions that a lock file names; nodemailer else from Debian."""

import functools
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

from . import process

DEBIAN = pathlib.Path("/usr/share/nodejs")
CACHE = process.ROOT / "build" / "npm"
FILES = ("package.json", "package-lock.json")
LIMIT = 300  # seconds for npm


notes = []  # which one was taken, for the end of a test run


@functools.cache
def nodemailer(listed):
    """Where node finds nodemailer: the value of NODE_PATH. `listed`: the folder of the FILES."""
    place, reason = installed(listed)
    if place:
        notes.append(f"nodemailer {_version(place)} from npm")
        return place
    if (DEBIAN / "nodemailer").is_dir():
        notes.append(f"nodemailer {_version(DEBIAN)} from Debian's package, since {reason}")
        return DEBIAN
    raise AssertionError(
        f"no nodemailer: {reason}; let npm reach its registry, or apt-get install node-nodemailer"
    )


def _version(place):
    return json.loads((place / "nodemailer" / "package.json").read_text())["version"]


def installed(listed):
    """The modules that `npm ci` makes of the FILES in `listed`, kept for later runs; or the reason
    why there are none."""
    octets = b"".join((listed / name).read_bytes() for name in FILES)
    kept = CACHE / hashlib.sha256(octets).hexdigest()[:16]
    if kept.is_dir():
        return kept / "node_modules", ""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as fresh:
        for name in FILES:
            shutil.copy(listed / name, fresh)
        try:
            done = subprocess.run(
                ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
                cwd=fresh, capture_output=True, text=True, timeout=LIMIT, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            return None, f"npm did not run to its end: {error}"
        if done.returncode != 0:
            return None, "npm could not install it: " + " ".join(done.stderr.split())[:200]
        # In one step: a folder of that name is whole.
        os.rename(fresh, kept)
    return kept / "node_modules", ""

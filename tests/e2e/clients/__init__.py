"""Real clients, each as one function: sends a message file through a port, returns the words of
the server, raises Refused with them."""

import json
import os
import pathlib
import smtplib
import subprocess

from harness import node_packages

HERE = pathlib.Path(__file__).parent
LIMIT = 120


class Refused(Exception):
    pass


def run(command, **keys):
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=LIMIT,
        stdin=None if "input" in keys else subprocess.DEVNULL, **keys,
    )  # fmt: skip
    if done.returncode != 0:
        raise Refused(f"exit {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


class Submission:
    """Where to, as whom, how: what every client is told."""

    def __init__(self, port, certificate, user, password, implicit=False, mechanism="PLAIN"):
        self.port, self.certificate = port, certificate
        self.user, self.password = user, password
        self.implicit, self.mechanism = implicit, mechanism

    def swaks(self, sender, recipient, file):
        tls = ["--tls-on-connect"] if self.implicit else ["--tls"]
        return run(["swaks", "--server", "127.0.0.1", "--port", self.port, *tls, "--tls-verify",
                    "--tls-ca-path", self.certificate.authority, "--auth", self.mechanism,
                    "--auth-user", self.user, "--auth-password", self.password,
                    "--from", sender, "--to", recipient, "--data", f"@{file}"])  # fmt: skip

    def curl(self, sender, recipient, file):
        scheme = "smtps" if self.implicit else "smtp"
        return run(["curl", "-sS", "-v", f"{scheme}://127.0.0.1:{self.port}", "--ssl-reqd",
                    "--cacert", self.certificate.authority, "--user", f"{self.user}:{self.password}",
                    "--login-options", f"AUTH={self.mechanism}", "--mail-from", sender,
                    "--mail-rcpt", recipient, "--upload-file", file])  # fmt: skip

    def smtplib(self, sender, recipient, file):
        context = self.certificate.client_context()
        if self.implicit:
            client = smtplib.SMTP_SSL("127.0.0.1", self.port, context=context, timeout=LIMIT)
        else:
            client = smtplib.SMTP("127.0.0.1", self.port, timeout=LIMIT)
        with client:
            if not self.implicit:
                client.starttls(context=context)
            client.ehlo()
            client.user, client.password = self.user, self.password
            method = {"PLAIN": client.auth_plain, "LOGIN": client.auth_login}[self.mechanism]
            client.auth(self.mechanism, method)
            octets = pathlib.Path(file).read_bytes()
            client.sendmail(sender, [recipient], octets, mail_options=["BODY=8BITMIME"])
        return ""

    def msmtp(self, sender, recipient, file):
        with open(file, "rb") as message:
            done = subprocess.run(
                ["msmtp", "--file=/dev/null", "--host=127.0.0.1", f"--port={self.port}", "--tls=on",
                 f"--tls-starttls={'off' if self.implicit else 'on'}",
                 f"--tls-trust-file={self.certificate.authority}",
                 f"--auth={self.mechanism.lower()}", f"--user={self.user}",
                 "--passwordeval=printf %s \"$TEST_PASSWORD\"", "--debug",
                 f"--from={sender}", "--", recipient],
                stdin=message, capture_output=True, text=True, timeout=LIMIT,
                env={**os.environ, "TEST_PASSWORD": self.password},
            )  # fmt: skip
        if done.returncode != 0:
            raise Refused(done.stdout + done.stderr)
        return done.stdout

    def nodemailer(self, sender, recipient, file):
        return run(["node", HERE / "nodemailer.js", self._json(sender, recipient, raw=str(file))],
                   env={**os.environ, "NODE_PATH": str(node_packages.nodemailer(HERE))})  # fmt: skip

    def phpmailer(self, sender, recipient, file):
        """PHPMailer has no way to send a ready message; it makes its own with the same subject."""
        subject = pathlib.Path(file).stem
        return run(["php", HERE / "phpmailer.php", self._json(sender, recipient, subject=subject)])

    def _json(self, sender, recipient, **more):
        return json.dumps({
            "port": self.port, "secure": self.implicit, "method": self.mechanism,
            "user": self.user, "pass": self.password, "from": sender, "to": recipient,
            "ca": str(self.certificate.authority), **more,
        })  # fmt: skip


NAMES = ("swaks", "curl", "smtplib", "msmtp", "nodemailer", "phpmailer")
MECHANISMS = {name: ("PLAIN", "LOGIN") for name in NAMES} | {
    "msmtp": ("PLAIN", "LOGIN", "SCRAM-SHA-256")
}

"""Postfix as the upstream of a test: STARTTLS, SASL, every message kept in a maildir."""

import os
import pathlib
import pwd
import re
import subprocess

from . import postfix, process

USER, PASSWORD = "relay", "upstream pass'word\"1"
REALM = "postfix.test"


class PostfixMailbox(postfix.Postfix):
    """Takes mail for anyone at example.net; local part = the name of its box."""

    def __init__(self, directory, certificate, parameters=None):
        directory = pathlib.Path(directory)
        self.port = process.free_port()
        self.boxes = directory / "boxes"
        self._seen = set()
        self._messages = {}
        sasl = directory / "etc" / "sasl"  # where Debian's Postfix looks
        nobody = pwd.getpwnam(postfix.DELIVERY_USER)
        super().__init__(
            directory,
            {
                "maillog_file": directory / "maillog",
                "maillog_file_prefixes": "/",
                "mydestination": "",
                "virtual_mailbox_domains": "example.net, example.com",
                "virtual_mailbox_base": self.boxes,
                "virtual_mailbox_maps": "static:all/",
                "virtual_mailbox_limit": "0",
                "virtual_minimum_uid": "1",
                "virtual_uid_maps": f"static:{nobody.pw_uid}",
                "virtual_gid_maps": f"static:{nobody.pw_gid}",
                "message_size_limit": "104857600",
                "smtpd_tls_chain_files": f"{directory}/etc/tls.pem",
                "smtpd_tls_security_level": "encrypt",
                "smtpd_tls_auth_only": "yes",
                "smtpd_sasl_auth_enable": "yes",
                "smtpd_sasl_path": "smtpd",
                "smtpd_sasl_local_domain": REALM,
                "smtpd_recipient_restrictions": "permit_sasl_authenticated, reject",
                "smtpd_relay_restrictions": "permit_sasl_authenticated, reject",
                "smtpd_client_restrictions": "",
                "mynetworks": "",
                "smtputf8_enable": "yes",
                **(parameters or {}),
            },
            [f"127.0.0.1:{self.port} inet n - n - - smtpd"],
        )
        pem = self.config / "tls.pem"
        pem.write_text(certificate.key.read_text() + certificate.chain.read_text())
        pem.chmod(0o600)
        self.boxes.mkdir()
        os.chown(self.boxes, nobody.pw_uid, nobody.pw_gid)
        self._make_password(sasl)

    def _make_password(self, sasl):
        sasl.mkdir()
        database = sasl / "sasldb2"
        subprocess.run(["saslpasswd2", "-p", "-c", "-f", database, "-u", REALM, USER],
                       input=PASSWORD, text=True, check=True)  # fmt: skip
        os.chown(database, pwd.getpwnam(postfix.OWNER).pw_uid, -1)
        (sasl / "smtpd.conf").write_text(
            "pwcheck_method: auxprop\nauxprop_plugin: sasldb\n"
            f"sasldb_path: {database}\nmech_list: PLAIN LOGIN SCRAM-SHA-256\n"
        )

    def start_all(self):
        return self.start(self.port)

    def upstream(self, **keys):
        """The configuration of an Outpost upstream that leads here."""
        return {
            "type": "smtp",
            "host": f"[127.0.0.1]:{self.port}",
            "encryption": "starttls",
            "username": f"{USER}@{REALM}",
            "password": PASSWORD,
            **keys,
        }

    def messages(self, box):
        """The octets of the messages for a local part, as they came to Postfix, oldest first."""
        folder = self.boxes / "all" / "new"
        for name in sorted(os.listdir(folder)) if folder.exists() else ():
            if name not in self._seen:
                self._seen.add(name)
                stored = (folder / name).read_bytes()
                recipient = re.search(rb"^Delivered-To: (.*)@", stored, re.MULTILINE).group(1)
                self._messages.setdefault(recipient.decode(), []).append(as_received(stored))
        return self._messages.get(box, [])

    def wait_messages(self, box, count=1, limit=process.PATIENCE):
        process.wait_until(lambda: len(self.messages(box)) >= count,
                           f"{count} messages for {box} at Postfix", limit)  # fmt: skip
        return self.messages(box)


def as_received(stored):
    """A maildir file without what Postfix puts in front, CRLF line ends restored."""
    octets = stored.replace(b"\n", b"\r\n")
    at = octets.index(b"Received: ")
    end = at
    while True:  # Postfix's own Received field with its continuation lines
        end = octets.index(b"\r\n", end) + 2
        if octets[end : end + 1] not in (b" ", b"\t"):
            return octets[end:]

"""Throw-away certificates for 127.0.0.1, ::1, localhost and relay.test, made by openssl."""

import dataclasses
import hashlib
import pathlib
import ssl
import subprocess


@dataclasses.dataclass
class Certificate:
    authority: pathlib.Path  # PEM of the CA that signed it
    chain: pathlib.Path
    key: pathlib.Path

    def fingerprint(self):
        der = ssl.PEM_cert_to_DER_cert(first_pem(self.chain.read_text()))
        return hashlib.sha256(der).hexdigest()

    def server_context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain, self.key)
        return context

    def client_context(self):
        return ssl.create_default_context(cafile=self.authority)


def first_pem(text):
    end = "-----END CERTIFICATE-----"
    return text[: text.index(end) + len(end)] + "\n"


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def make(directory, names=("DNS:localhost", "DNS:relay.test", "IP:127.0.0.1", "IP:::1")):
    """A CA and a certificate signed by it, in `directory`."""
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    ca, ca_key = directory / "ca.pem", directory / "ca.key"
    openssl("req", "-x509", *curve, "-keyout", ca_key, "-out", ca, "-days", 2,
            "-subj", "/CN=Outpost test authority")  # fmt: skip
    chain, key = directory / "server.pem", directory / "server.key"
    request, extensions = directory / "server.csr", directory / "server.ext"
    extensions.write_text("subjectAltName=" + ",".join(names) + "\n")
    openssl("req", "-new", *curve, "-keyout", key, "-out", request, "-subj", "/CN=relay.test")
    openssl("x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial",
            "-days", 2, "-extfile", extensions, "-out", chain)  # fmt: skip
    return Certificate(ca, chain, key)

"""An authority of our own, and a certificate of it for this machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DAY = timedelta(days=1)


class Certificates:
    """`authority`, and `certificate` with its `key` for 127.0.0.1: files in PEM."""

    def __init__(self, folder: Path) -> None:
        self.authority, self.certificate, self.key = (folder / f"{name}.pem" for name in ("ca", "cert", "key"))
        ours, theirs = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        us, them = (x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]) for name in ("Tests", "Server"))
        made = x509.CertificateBuilder().issuer_name(us)
        made = made.not_valid_before(datetime.now(UTC) - DAY).not_valid_after(datetime.now(UTC) + DAY)
        authority = (
            made.subject_name(us)
            .serial_number(1)
            .public_key(ours.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(ours.public_key()), critical=False)
            .sign(ours, hashes.SHA256())
        )
        certificate = (
            made.subject_name(them)
            .serial_number(2)
            .public_key(theirs.public_key())
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ours.public_key()), critical=False)
            .sign(ours, hashes.SHA256())
        )
        self.authority.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
        self.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        self.key.write_bytes(
            theirs.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

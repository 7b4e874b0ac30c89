"""Certificate files as they lie on the disk: read, and checked before anything trusts them."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ditto.errors import SetupError

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_VERSION_TAG = 0xA0
_VALIDITY_FIELD = 3
"""Of a certificate's fields after its version: serial, algorithm, issuer, validity (RFC 5280)."""
_CENTURY_TAG = 0x17
"""UTCTime, which has two digits for the year; the other form has four."""


@dataclass(frozen=True)
class NamedFile:
    """A file and the configuration key (or option) that names it, which errors repeat."""

    key: str
    path: Path

    def read(self) -> bytes:
        """The bytes of the file. Raises `SetupError` when it is missing or cannot be read."""
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise self.error(f"{error.strerror}; give a file that this user may read") from None

    def error(self, problem: str) -> SetupError:
        """A `SetupError` about this file."""
        return SetupError(f"{self.key}: {self.path}: {problem}")


@dataclass(frozen=True)
class CertificateFiles:
    """What one end of a connection presents, and whose certificates it accepts."""

    certificate: NamedFile | None = None
    key: NamedFile | None = None
    authority: NamedFile | None = None

    def __iter__(self) -> Iterator[NamedFile]:
        given = (self.certificate, self.key, self.authority)
        return (file for file in given if file is not None)


@dataclass(frozen=True)
class Certificates:
    """The contents of checked files, as PEM."""

    chain: bytes | None
    key: bytes | None
    authority: bytes | None
    ends: dict[str, datetime]
    """When each of the files expires, by its key."""


def read_certificates(files: CertificateFiles, now: datetime | None = None) -> Certificates:
    """Read and check all files.

    Raises `SetupError` naming the file and the mend: for one that is missing, unreadable, no
    certificate, not valid now, or no key of its certificate.
    """
    now = now or datetime.now(UTC)
    chain = key = authority = None
    ends = {}
    if files.certificate:
        chain = files.certificate.read()
        ends[files.certificate.key] = min(_valid_ends(files.certificate, chain, now, every=True))
        if files.key is None:
            raise files.certificate.error("comes without its key; give that file too")
        key = files.key.read()
        _require_pair(files.certificate, files.key)
    elif files.key:
        raise files.key.error("comes without its certificate; give that file too")
    if files.authority:
        authority = files.authority.read()
        ends[files.authority.key] = max(_valid_ends(files.authority, authority, now, every=False))
    return Certificates(chain, key, authority, ends)


def _valid_ends(file: NamedFile, pem: bytes, now: datetime, every: bool) -> list[datetime]:
    """Ends of the certificates in a file, each of which (or one of which) must be valid now."""
    try:
        spans = [_validity(ssl.PEM_cert_to_DER_cert(each.decode())) for each in _PEM.findall(pem)]
    except (ValueError, IndexError):
        spans = []
    if not spans:
        raise file.error("holds no certificate in PEM format")
    valid = [end for begin, end in spans if begin <= now < end]
    if not valid or (every and len(valid) < len(spans)):
        begin, end = min(spans, key=lambda span: span[1])
        state = f"expired at {end}" if end <= now else f"is not valid before {begin}"
        raise file.error(f"{state}; put a valid certificate there")
    return valid


def _require_pair(certificate: NamedFile, key: NamedFile) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate.path, key.path, password=lambda: "")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise key.error(f"is not the key of {certificate.key} {certificate.path}") from None
        raise key.error("is no PEM private key without a passphrase") from None


def _validity(der: bytes) -> tuple[datetime, datetime]:
    """From when to when a certificate is valid. Raises `ValueError` or `IndexError`."""
    fields = _children(_children(_children(der)[0][1])[0][1])
    if fields[0][0] == _VERSION_TAG:
        fields = fields[1:]
    begin, end = _children(fields[_VALIDITY_FIELD][1])
    return _moment(*begin), _moment(*end)


def _moment(tag: int, content: bytes) -> datetime:
    style = "%y%m%d%H%M%SZ" if tag == _CENTURY_TAG else "%Y%m%d%H%M%SZ"
    return datetime.strptime(content.decode("ascii"), style).replace(tzinfo=UTC)


def _children(der: bytes) -> list[tuple[int, bytes]]:
    """Tag and content of each element in a row of DER elements."""
    found, at = [], 0
    while at < len(der):
        tag, size, at = der[at], der[at + 1], at + 2
        if size > 0x7F:
            width = size & 0x7F
            size, at = int.from_bytes(der[at : at + width]), at + width
        if at + size > len(der):
            raise ValueError("cut short")
        found.append((tag, der[at : at + size]))
        at += size
    return found

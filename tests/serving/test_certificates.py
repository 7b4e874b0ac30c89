"""Certificate files: what is refused, in whose words, and when a good one ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from ditto.errors import SetupError
from ditto.serving.certificates import CertificateFiles, NamedFile, read_certificates
from tests.certificates import Authority, Pair


def files(pair: Pair, authority: Path | None = None) -> CertificateFiles:
    return CertificateFiles(
        NamedFile("tls_certificate", pair.certificate),
        NamedFile("tls_key", pair.key),
        NamedFile("tls_client_ca", authority) if authority else None,
    )


def test_good_files_are_read_and_their_ends_known(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("server", lasts=timedelta(days=9))
    found = read_certificates(files(pair, authority.file))
    assert (found.chain, found.key) == (pair.certificate.read_bytes(), pair.key.read_bytes())
    parsed = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    assert found.ends["tls_certificate"] == parsed.not_valid_after_utc
    assert found.ends["tls_client_ca"] > found.ends["tls_certificate"]


def test_a_chain_ends_with_the_first_of_its_certificates(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("server", lasts=timedelta(days=90))
    leaf = read_certificates(files(pair)).ends["tls_certificate"]
    pair.certificate.write_bytes(pair.certificate.read_bytes() + authority.file.read_bytes())
    assert read_certificates(files(pair)).ends["tls_certificate"] < leaf


def _encrypt(pair: Pair, _: Authority) -> None:
    key = serialization.load_pem_private_key(pair.key.read_bytes(), None)
    protection = serialization.BestAvailableEncryption(b"phrase")
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)
    pair.key.write_bytes(key.private_bytes(*form))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda pair, _: pair.certificate.unlink(), r"tls_certificate: .*server.crt: No such file"),
        (lambda pair, _: pair.key.unlink(), r"tls_key: .*server.key: No such file"),
        (lambda pair, _: pair.certificate.write_text("hello"), "tls_certificate: .*PEM"),
        (lambda pair, _: pair.key.write_text("hello"), "tls_key: .*PEM private key"),
        (_encrypt, "tls_key: .*without a passphrase"),
        (
            lambda pair, authority: pair.key.write_bytes(authority.issue("x").key.read_bytes()),
            "tls_key: .*is not the key of tls_certificate",
        ),
        (
            lambda _, authority: authority.issue("server", lasts=timedelta(days=-1)),
            "tls_certificate: .*expired at .*put a valid certificate",
        ),
        (lambda _, authority: authority.file.write_text(""), "tls_client_ca: .*PEM"),
        (
            lambda _, authority: authority.file.write_bytes(
                authority.issue("old", lasts=timedelta(days=-1)).certificate.read_bytes()
            ),
            "tls_client_ca: .*expired",
        ),
        (
            lambda pair, _: pair.certificate.write_bytes(
                pair.certificate.read_bytes().replace(b"MII", b"MIA", 1)
            ),
            "tls_certificate: .*PEM",
        ),
    ],
)
def test_each_fault_is_told_with_its_file_and_mend(
    tmp_path: Path, spoil: Callable[[Pair, Authority], object], said: str
) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("server")
    spoil(pair, authority)
    with pytest.raises(SetupError, match=said):
        read_certificates(files(pair, authority.file))


def test_a_certificate_of_the_future_is_refused(tmp_path: Path) -> None:
    pair = Authority(tmp_path).issue("server")
    with pytest.raises(SetupError, match="not valid before"):
        read_certificates(files(pair), datetime.now(UTC) - timedelta(days=20))


@pytest.mark.parametrize("missing", ["certificate", "key"])
def test_half_a_pair_is_refused(tmp_path: Path, missing: str) -> None:
    pair = Authority(tmp_path).issue("server")
    both = {"certificate": NamedFile("c", pair.certificate), "key": NamedFile("k", pair.key)}
    with pytest.raises(SetupError, match=f"comes without its {missing}"):
        read_certificates(CertificateFiles(**{**both, missing: None}))

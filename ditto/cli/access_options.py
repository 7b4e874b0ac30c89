"""The options of a command that calls a gateway which may want TLS and a token."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_access_options(parser: argparse.ArgumentParser) -> None:
    """Add what a gateway with TLS and tokens wants; each has a DITTO_CLIENT_ variable."""
    add = parser.add_argument
    add("--token-file", type=Path, metavar="FILE", help="or DITTO_CLIENT_TOKEN_FILE, ..._TOKEN")
    add("--tls", action="store_true", default=None, help="TLS, trusting public authorities")
    add("--tls-ca", type=Path, metavar="FILE", help="TLS, trusting these authorities (PEM)")
    add("--tls-certificate", type=Path, metavar="FILE", help="own certificate, where demanded")
    add("--tls-key", type=Path, metavar="FILE", help="its key")
    add("--tls-name", metavar="NAME", help="name in the gateway's certificate, if not the host")

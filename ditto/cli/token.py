"""`ditto token`: a new bearer token for a tenant, and the line by which a gateway knows it."""

from __future__ import annotations

import argparse
import re
import sys
from datetime import UTC, datetime, timedelta

from ditto.cli.commands import Commands, add_command
from ditto.errors import InvalidInputError
from ditto.serving.token_hash import TENANT_NAME, new_token, token_hash

_EXAMPLES = """\
Examples:
  ditto token new acme                     the token on stdout, its entry on stderr
  ditto token new acme --days 90 > acme.token
  ditto animate face.jpg speech.wav -o out.mp4 --token-file acme.token

The token is shown this once: a gateway keeps its hash alone. Add the entry to the gateway's
`tokens_file`; it is read again when it changes. A tenant may have several tokens, so that one can
take the other's place. Beside `tokens`, a tenant may have `suspended: true`, and `limits` of calls,
video_seconds_per_hour, video_seconds_per_day, bytes_per_hour, bytes_per_day, avatars.
"""
_ENTRY = """\
tenants:
  {tenant}:
    tokens:
      - sha256: "{digest}"
"""


def add_parser(commands: Commands) -> None:
    """Add `ditto token` to the command line."""
    parser = add_command(
        commands,
        "token",
        about="make a token for a tenant",
        description="Makes bearer tokens for the tenants of a gateway.",
        examples=_EXAMPLES,
    )
    parser.add_argument("action", choices=("new",), help="make one")
    parser.add_argument("tenant", metavar="TENANT", help="lower case letters, digits, . _ -")
    parser.add_argument("--days", type=float, metavar="N", help="the token expires after N days")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Make a token."""
    if options.days is not None and not 0 < options.days <= 36_500:
        raise InvalidInputError("--days", f"is {options.days:g}; allowed: above 0, to 36500")
    if not re.fullmatch(TENANT_NAME, options.tenant):
        raise InvalidInputError("TENANT", f"is {options.tenant!r}; a name matches {TENANT_NAME}")
    token = new_token()
    entry = _ENTRY.format(tenant=options.tenant, digest=token_hash(token))
    if options.days:
        end = datetime.now(UTC) + timedelta(days=options.days)
        entry += f"        expires: {end:%Y-%m-%dT%H:%M:%SZ}\n"
    print(f"# add to the gateway's tokens_file\n{entry}", end="", file=sys.stderr)
    print(token)
    return 0

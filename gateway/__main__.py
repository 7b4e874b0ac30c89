"""Run the gateway: ``python -m gateway [--config FILE] [--set KEY=VALUE]``."""

from ditto.serving.environment import prepare_environment

prepare_environment()

import sys  # noqa: E402
from pathlib import Path  # noqa: E402

from ditto.serving.server import run  # noqa: E402
from gateway.config import GatewayConfig  # noqa: E402
from gateway.service import make_load  # noqa: E402

if __name__ == "__main__":
    sys.exit(run("gateway", GatewayConfig, Path(__file__).with_name("config.yaml"), make_load))

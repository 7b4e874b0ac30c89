"""Run the gateway: ``python -m gateway [--config FILE] [--set KEY=VALUE]``."""

from ditto.serving.environment import prepare_environment

prepare_environment()

import sys  # noqa: E402
from pathlib import Path  # noqa: E402

from ditto.serving.server import run  # noqa: E402
from gateway.access.authentication import interceptors  # noqa: E402
from gateway.config import GatewayConfig  # noqa: E402
from gateway.service import make_load  # noqa: E402

if __name__ == "__main__":
    file = Path(__file__).with_name("config.yaml")
    sys.exit(run("gateway", GatewayConfig, file, make_load, make_interceptors=interceptors))

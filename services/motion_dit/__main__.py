"""Run the service: ``python -m services.motion_dit [--config FILE] [--set KEY=VALUE]``."""

from ditto.serving.environment import prepare_environment

prepare_environment()

import sys  # noqa: E402
from pathlib import Path  # noqa: E402

from ditto.serving.server import run  # noqa: E402
from services.motion_dit.config import MotionDitConfig  # noqa: E402
from services.motion_dit.loader import MODULE, make_load  # noqa: E402

if __name__ == "__main__":
    sys.exit(run(MODULE, MotionDitConfig, Path(__file__).with_name("config.yaml"), make_load))

"""Run the service: ``python -m services.audio_encoder [--config FILE] [--set KEY=VALUE]``."""

from ditto.serving.environment import prepare_environment

prepare_environment()

import sys  # noqa: E402
from pathlib import Path  # noqa: E402

from ditto.serving.server import run  # noqa: E402
from services.audio_encoder.config import AudioEncoderConfig  # noqa: E402
from services.audio_encoder.loader import MODULE, make_load  # noqa: E402

if __name__ == "__main__":
    sys.exit(run(MODULE, AudioEncoderConfig, Path(__file__).with_name("config.yaml"), make_load))

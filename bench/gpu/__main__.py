"""`python -m bench.gpu`."""

import sys

try:
    from bench.gpu.command import main
except ModuleNotFoundError as error:
    sys.exit(f"python -m bench.gpu: {error.name} is not installed; pip install -e '.[gpu]'")

sys.exit(main())

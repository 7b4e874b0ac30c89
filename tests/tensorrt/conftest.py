"""A group of its own: it needs `tensorrt-rtx` (260 MB), which nothing else does.

``pip install tensorrt-rtx && python -m pytest tests/tensorrt``; without it nothing is collected.
"""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("tensorrt_rtx") else ["test_*.py"]

"""Make the small golden copies from the folder of the full set.

python -m tests.golden.regenerate_logic REFERENCE_DIR
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent

WHOLE = (
    "logic_condition.json",
    "logic_condition.npz",
    "logic_crop.npz",
    "logic_detectors.npz",
    "logic_eye.npz",
    "logic_misc.json",
    "logic_motion_stitch.json",
    "logic_motion_stitch.npz",
    "logic_pose.npz",
    "logic_putback.npz",
    "logic_scheduler.json",
    "logic_wav2feat.json",
    "logic_wav2feat.npz",
)
FUSE_CASES = ("offline_o10", "online_o75", "online_o70_reset1_0_202", "online_o40_smo5")


def main(reference: Path) -> None:
    for name in WHOLE:
        shutil.copyfile(reference / name, HERE / name)
    _shrink_fuse(reference)
    _shrink_end_to_end(reference)


def _shrink_fuse(reference: Path) -> None:
    """A few configurations, without the whole final sequence and repeated references."""
    cases = json.loads((reference / "logic_fuse.json").read_text("utf-8"))
    kept = [case for case in cases if case["name"] in FUSE_CASES]
    (HERE / "logic_fuse.json").write_text(json.dumps(kept, indent=1) + "\n", "utf-8")
    arrays = np.load(reference / "logic_fuse.npz")
    names = [
        name
        for name in arrays
        if name.split(".")[0] in (*FUSE_CASES, "clip")
        and not name.endswith(".final")
        and ".next_kp_cond" not in name
    ]
    np.savez_compressed(HERE / "logic_fuse.npz", **{name: arrays[name] for name in names})


def _shrink_end_to_end(reference: Path) -> None:
    """All of the motion, and one of the three rendered frames."""
    arrays = np.load(reference / "e2e_online.npz")
    names = [name for name in arrays if not name.startswith(("frame9.", "frame17."))]
    np.savez_compressed(HERE / "e2e_online.npz", **{name: arrays[name] for name in names})


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Make the small golden copies of the networks from the folder of the full set.

python -m tests.golden.regenerate_networks REFERENCE_DIR
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).parent

THINNING = {
    "appearance_extractor": 8,
    "motion_extractor": 1,
    "warp_network": 8,
    "decoder": 8,
    "stitch_network": 1,
    "lmdm": 5,
    "lmdm_ddim": 5,
}
"""Every how many numbers of an array one is kept."""


def main(reference: Path) -> None:
    for name, step in THINNING.items():
        _thin(reference, name, step)
    for name in set(THINNING) - {"lmdm_ddim"}:
        _keep_key_table(reference, name)
    for name in ("lmdm_schedule.npz", "lmdm_time_pairs.json", "tolerances.json"):
        shutil.copyfile(reference / name, HERE / name)


def _thin(reference: Path, name: str, step: int) -> None:
    """The outputs alone, with the statistics of single steps and channels left out."""
    arrays = np.load(reference / f"{name}.npz")
    kept: dict[str, NDArray[np.float32]] = {}
    for key in arrays:
        if key.endswith((".stats", ".chan")) or ".step_" in key:
            continue
        array = arrays[key]
        if step == 1 or array.size < 5000:
            kept[key] = array
        elif ".sub" in key:
            base, stride = key.rsplit(".sub", 1)
            kept[f"{base}.sub{int(stride) * step}"] = array[::step]
        else:
            kept[f"{key}.sub{step}"] = array.ravel()[::step]
    np.savez_compressed(HERE / f"{name}.npz", **kept)


def _keep_key_table(reference: Path, name: str) -> None:
    """Name, shape, dtype and checksum of every entry of a state dict."""
    table = json.loads((reference / f"{name}.keys.json").read_text("utf-8"))
    rows = [[row["key"], row["shape"], row["dtype"], row["crc32"]] for row in table["keys"]]
    lines = ",\n ".join(json.dumps(row) for row in rows)
    content = f'{{"total_params": {table["total_params"]}, "keys": [\n {lines}\n]}}\n'
    (HERE / f"{name}.keys.json").write_text(content, "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

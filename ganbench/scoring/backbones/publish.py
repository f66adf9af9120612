"""Making the classifiers that ship with the package; for those who maintain it.

`python -m ganbench.scoring.backbones.publish digits mnist` trains them and writes the folder
`published`: a file for each, and `classifiers.json` with what is known of them.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

from ganbench import data
from ganbench.scoring.backbones.classifier import PUBLISHED, obtain_classifier
from ganbench.scoring.backbones.classifier_network import VERSION, write_classifier

__all__ = ["publish"]


def publish(name: str, folder: Path = PUBLISHED) -> dict[str, Any]:
    """Train the classifier of a dataset with fixed content, and write its file.

    Args:
        name: Of the dataset.
        folder: Where the file goes.

    Returns:
        Its entry in `classifiers.json`.

    Raises:
        DataError: The data cannot be had, or the training failed.
    """
    cache_root = data.default_cache_root()
    dataset = data.load(
        name, data_root=data.default_data_root(), cache_root=cache_root, image_size=32
    )
    with tempfile.TemporaryDirectory() as empty:
        nowhere = Path(empty)
        trained = obtain_classifier(dataset, torch.device("cpu"), nowhere, published=nowhere)
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-{dataset.fingerprint}-{VERSION}.npz"
    write_classifier(path, trained.network, trained.accuracy, trained.kept)
    return {
        "dataset": name,
        "file": path.name,
        "version": VERSION,
        "hash": trained.hash,
        "accuracy": trained.accuracy,
        "kept": trained.kept,
        "command": f"python -m ganbench.scoring.backbones.publish {name}",
        "torch": torch.__version__,
    }


def _main() -> None:
    index = PUBLISHED / "classifiers.json"
    entries = json.loads(index.read_text(encoding="utf-8")) if index.exists() else []
    for name in sys.argv[1:]:
        entries = [entry for entry in entries if entry["dataset"] != name] + [publish(name)]
        entries.sort(key=lambda entry: str(entry["dataset"]))
        index.write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    _main()

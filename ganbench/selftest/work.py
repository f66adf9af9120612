"""A self-test, from its request to its folder."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganbench import data
from ganbench.data.cache import clean
from ganbench.data.catalogue import short_dataset
from ganbench.errors import DataError, UsageError, unknown
from ganbench.experiment.lock import is_empty, locked
from ganbench.experiment.store import ResultsFolder, first_dated_folder, today
from ganbench.machine import environment
from ganbench.machine.whole_files import remove_leftovers
from ganbench.scoring.backbones.backbone import BACKBONES, check_backbone, obtain_backbone
from ganbench.scoring.backbones.classifier import training_notice
from ganbench.selftest.expectations import shortfalls
from ganbench.selftest.known_generators import known_generators
from ganbench.selftest.measure import Scorer
from ganbench.selftest.outcome import outcome_of
from ganbench.selftest.publish import RECORD_FILE, publish
from ganbench.selftest.sanity import run_checks
from ganbench.selftest.splits import choose_count, divide

if TYPE_CHECKING:
    from ganbench.launch.progress import Display
    from ganbench.machine.device import Device
    from ganbench.selftest.outcome import Outcome

__all__ = ["CONTROLS", "DRAWS", "Request", "self_test"]

_IMAGE_SIZE = 64  # to which image folders are decoded at most, as runs at 64 pixels do
_SETTINGS = ("dataset", "backbone", "images", "draws")


CONTROLS = 20
"""Draws of the control, from which chance is estimated."""

DRAWS = 5
"""Draws of every fault at every strength, unless the request says otherwise."""


@dataclass(frozen=True)
class Request:
    """The settings of a self-test.

    Attributes:
        dataset: As `--dataset`.
        data_root: Where datasets are looked for.
        cache_root: Where classifiers and features are kept.
        backbone: As `--backbone`.
        inception_weights: File of inception's weights, instead of a download.
        images: Images of each generator; None for as many as the dataset allows, at most 1,000.
        draws: Draws of each fault at each strength, at most as many as of the control.
        out: Where to publish; None for a folder in `results/`.
        sanity: Whether the sanity checks are run too, which depend on no dataset.
        command: As the user gave it.
    """

    dataset: str
    data_root: Path
    cache_root: Path
    backbone: str = "auto"
    inception_weights: Path | None = None
    images: int | None = None
    draws: int = DRAWS
    out: Path | None = None
    sanity: bool = True
    command: str = ""


def self_test(request: Request, device: Device, display: Display) -> tuple[Path, Outcome]:
    """Draw from every known generator, score it, and publish how the scores answer.

    Args:
        request: The settings.
        device: Where the networks run.
        display: Where progress is shown.

    Returns:
        The folder that was written, and the outcome in it.

    Raises:
        UsageError: The dataset or backbone is unknown or cannot be had, a class has too few images,
            or the folder cannot be written or holds something else.
    """
    if request.backbone not in BACKBONES:
        raise unknown("backbone", request.backbone, BACKBONES)
    spec = data.describe(request.dataset, request.data_root)
    if spec.kind == "points":
        raise UsageError(
            f"{spec.name} holds points, and the faults of a self-test are of images: give a "
            "dataset of images, for example --dataset digits"
        )
    check_backbone(request.backbone, request.cache_root, request.inception_weights)
    settings = {**{name: getattr(request, name) for name in _SETTINGS}, "dataset": spec.name}
    topic = f"{device.kind}_selftest-{short_dataset(spec.name)}"
    folder = _folder(request.out, topic, settings)
    with locked(folder.path):
        return folder.path, _test_into(folder.path, request, device, display, settings)


def _test_into(
    folder: Path, request: Request, device: Device, display: Display, settings: dict[str, Any]
) -> Outcome:
    """Do the self-test, and publish it in a folder that is locked."""
    remove_leftovers([folder, folder / "charts"])
    clean(request.cache_root)

    # The real images
    for note in data.notes(request.dataset, request.data_root):
        display.say(note)
    dataset = data.load(
        request.dataset, data_root=request.data_root, cache_root=request.cache_root,
        image_size=_IMAGE_SIZE, report=display.report,
    )  # fmt: skip
    count = choose_count(dataset, request.images)
    if notice := training_notice(dataset, request.cache_root):
        display.say(notice)
    backbone = obtain_backbone(
        request.backbone, dataset, device.torch, request.cache_root, request.inception_weights,
        display.report,
    )  # fmt: skip
    display.say(f"{dataset.spec.name}: {backbone.reason}; {count:,} images of each generator")
    splits = divide(dataset, count, request.draws)
    scorer = Scorer.of(splits, backbone, request.cache_root, display.report)

    # The known generators
    faults = known_generators(splits)
    responses = scorer.measure(
        faults, controls=CONTROLS, draws=request.draws, report=display.report
    )
    record = {
        "schema": 1,
        "title": f"Self-test of the metrics on {short_dataset(dataset.spec.name)}",
        "command": request.command,
        "created": today(),
        "settings": settings,
        "controls": CONTROLS,
        "draws": request.draws,
        "counts": {name: len(getattr(splits, name)) for name in ("real", "pool", "held_out")},
        "protocol": dataclasses.asdict(scorer.protocol),
        "protocol_hash": scorer.protocol.hash,
        "environment": environment.describe(device),
    }
    outcome = outcome_of(responses, faults, record)
    if request.sanity:
        sanity = run_checks(report=display.report)
        record["sanity"] = {name: sanity.tally(name) for name in sanity.metrics}
        outcome = dataclasses.replace(outcome, sanity=sanity)
    record["shortfalls"] = list(shortfalls(outcome))
    display.say("writing the report")
    publish(outcome, folder)
    return outcome


def _folder(out: Path | None, topic: str, settings: dict[str, Any]) -> ResultsFolder:
    """The folder that was named, or the first one of today that is new or holds the same test.

    Raises:
        UsageError: It cannot be written, or holds something else.
    """
    path = out or first_dated_folder(topic, lambda path: _stored(path) == settings)
    if not is_empty(path):
        stored = _stored(path)
        if stored is None:
            raise UsageError(
                f"{path} is not empty and holds no self-test of ganbench: "
                "give another folder with --out"
            )
        if stored != settings:
            raise UsageError(
                f"{path} holds a self-test of other settings ({_joined(stored)}; asked for: "
                f"{_joined(settings)}): give another folder with --out"
            )
    folder = ResultsFolder(path)
    folder.prepare()
    return folder


def _stored(path: Path) -> dict[str, Any] | None:
    """The settings of the self-test that a folder holds; None where there is none.

    Raises:
        DataError: Its record is damaged.
    """
    file = path / RECORD_FILE
    try:
        is_readable = file.is_file() or not file.exists()  # a pipe would be waited for
        record: Any = json.loads(file.read_text(encoding="utf-8")) if is_readable else None
        stored: dict[str, Any] = dict(record["settings"].items())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        why = " ".join(str(error).split())
        raise DataError(f"{file} cannot be read ({why}): give another folder") from error
    return stored


def _joined(settings: dict[str, Any]) -> str:
    parts = [f"{key} {value}" for key, value in settings.items() if value is not None]
    return ", ".join(" ".join(part.split()) for part in parts)

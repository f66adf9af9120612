"""What a job needs on a machine that does not share a disk: its plug-in, data and weights."""

from __future__ import annotations

import hashlib
import socket
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ganbench import data
from ganbench.data.catalogue import IMAGEFOLDER_PREFIX, STACKED_DIGITS
from ganbench.data.imagefolder import folder_elsewhere, folder_of, scan
from ganbench.errors import UsageError
from ganbench.experiment.frozen import PREFIX
from ganbench.experiment.plan import Job
from ganbench.launch.parcels import files_below, pack, unpack
from ganbench.machine.whole_files import whole
from ganbench.variant import source
from ganbench.variant.registry import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ganbench.launch.context import CommandContext

__all__ = ["JobFiles", "Needed", "needed", "unpacked"]

_TORCHVISION = {
    "mnist": "MNIST/raw",
    "fashion-mnist": "FashionMNIST/raw",
    "cifar10": "cifar-10-batches-py",
}
_MOST_BYTES = 4 * 2**30


@dataclass(frozen=True)
class Needed:
    """Files that travel in one parcel, and what they are of a job.

    Attributes:
        kind: `plug-in`, `data`, `weights` or `frozen`.
        files: By their names in the parcel.
    """

    kind: str
    files: Mapping[str, Path]

    @property
    def key(self) -> str:
        """What tells this parcel from others, while no file changes."""
        rows = [(name, str(path), path.stat().st_mtime_ns, path.stat().st_size)
                for name, path in self.files.items()]  # fmt: skip
        return hashlib.sha256(repr((self.kind, rows)).encode()).hexdigest()[:16]

    def packed(self) -> bytes:
        """The parcel.

        Raises:
            UsageError: It is too large, or a file cannot be read.
        """
        size = sum(path.stat().st_size for path in self.files.values())
        if size > _MOST_BYTES:
            raise UsageError(
                f"the {self.kind} of {size / 2**30:.1f} GiB does not travel to other machines, "
                f"which at most {_MOST_BYTES / 2**30:.0f} GiB do: lay it at the same path on each"
            )
        try:
            return pack(self.files)
        except OSError as error:
            raise UsageError(f"what a run needs cannot be read: {error}") from error


@dataclass(frozen=True)
class JobFiles:
    """A job with the parcels that it needs.

    Attributes:
        job: What to do, as the machine that plans names its files.
        parcels: By kind, the key of each.
    """

    job: Job
    parcels: Mapping[str, str]


def needed(job: Job, context: CommandContext) -> tuple[Needed, ...]:
    """What travels with a job; nothing for a built-in variant on data that are made anywhere."""
    parts = []
    if job.frozen:
        path = Path(job.frozen)
        files = files_below(path) if path.is_dir() else [path]
        below = path.parent
        parts.append(Needed("frozen", {file.relative_to(below).as_posix(): file for file in files}))
    elif job.request.endswith(".py"):
        path = Path(job.request)
        files = [path, *source.neighbours(path)]
        parts.append(Needed("plug-in", {file.name: file for file in files}))
    if of_data := _data(job.spec.name, context.data_root):
        parts.append(Needed("data", of_data))
    if context.inception_weights is not None and job.may_use_inception:
        weights = context.inception_weights
        parts.append(Needed("weights", {weights.name: weights}))
    return tuple(parts)


def _data(name: str, data_root: Path) -> dict[str, Path]:
    """Files of a dataset, by where they lie in a data root."""
    if name.startswith(IMAGEFOLDER_PREFIX):
        root, there = folder_of(name, data_root), folder_elsewhere(name)
        files = [path for path, _ in scan(name, data_root).files]
        return {f"{there}/{path.relative_to(root).as_posix()}": path for path in files}
    folder = _TORCHVISION.get(STACKED_DIGITS.get(name, name))
    if folder is None:
        return {}
    files = [path for path in files_below(data_root / folder) if path.suffix != ".gz"]
    return {path.relative_to(data_root).as_posix(): path for path in files}


def unpacked(
    sent: JobFiles, context: CommandContext, fetch: Callable[[str], bytes]
) -> tuple[Job, CommandContext]:
    """Lay what a job needs into the cache of this machine, once, and name it as it is called here.

    Args:
        sent: The job, and the keys of its parcels.
        context: Of this machine, but for the files that travel.
        fetch: Gives a parcel by its key; called only for what is not in the cache.

    Raises:
        UsageError: What this machine has of it differs from what was planned.
    """
    job = sent.job
    for kind, key in sent.parcels.items():
        folder = _kept(context.cache_root / "travelled", key, fetch)
        if kind == "plug-in":
            job = replace(job, request=str(folder / Path(job.request).name))
        elif kind == "frozen":
            path = folder / Path(job.frozen).name
            job = replace(job, request=f"{PREFIX}{path}", frozen=str(path))
        elif kind == "data":
            context = replace(context, data_root=folder)
        else:
            (weights,) = folder.iterdir()
            context = replace(context, inception_weights=weights)
    _check(job, context)
    return job, context


def _kept(root: Path, key: str, fetch: Callable[[str], bytes]) -> Path:
    """The folder of a parcel in the cache; several processes may want the same one at a time."""
    folder = root / key
    if not folder.is_dir():
        root.mkdir(parents=True, exist_ok=True)
        parcel = fetch(key)
        try:
            with whole(folder) as temporary:
                temporary.mkdir()
                unpack(parcel, temporary)
        except OSError:
            if not folder.is_dir():  # which another process has put there meanwhile
                raise
    return folder


def _check(job: Job, context: CommandContext) -> None:
    """See that this machine has the variant and the images that were planned.

    Raises:
        UsageError: It has others.
    """
    where = socket.gethostname()
    if not job.frozen:
        (resolved,) = resolve([job.request])
        if resolved.source_hash != job.source_hash:
            raise UsageError(
                f"{where} refuses the run {job.id}: its {job.variant} has the source "
                f"{resolved.source_hash}, and that of the plan is {job.source_hash}: install the "
                "same one on all machines"
            )
    if job.content:
        content = data.content_hash(
            job.spec.name, data_root=context.data_root, cache_root=context.cache_root
        )
        if content != job.content:
            raise UsageError(
                f"{where} refuses the run {job.id}: {job.spec.name} holds other images there"
            )

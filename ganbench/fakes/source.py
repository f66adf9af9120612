"""Where generated images come from: a folder, an array, an array file or a generator's file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch

from ganbench.data.dataset import ignore_progress
from ganbench.data.kinds import form_of
from ganbench.errors import DataError, UsageError
from ganbench.fakes.array_files import ARRAY_ENDINGS, is_torchscript, read_array
from ganbench.fakes.arrays import ArrayFormat, images_of, points_of, with_channels
from ganbench.fakes.folder import decode_files, image_files
from ganbench.fakes.generator_files import (
    GENERATOR_ENDINGS,
    Latent,
    LoadedGenerator,
    load_generator_file,
)
from ganbench.fakes.sizes import Fit, fitted
from ganbench.machine.random_streams import generator
from ganbench.scoring.draw import BATCH_SIZE

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.data.dataset import Dataset, Progress

__all__ = ["FakeOptions", "Source", "Taken", "open_source"]

Kind = Literal["folder", "array", "generator"]
_HASHED_BYTES = 1 << 20


@dataclass(frozen=True)
class FakeOptions:
    """What the user says of generated images that do not say it themselves.

    Attributes:
        array: Layout, range and name of arrays.
        fit: How images of another size are brought to that of the reference.
        latent_dim: Entries of a generator's latent.
        latent: Distribution of these entries.
    """

    array: ArrayFormat = field(default_factory=ArrayFormat)
    fit: Fit = "auto"
    latent_dim: int | None = None
    latent: Latent | None = None


@dataclass(frozen=True)
class Taken:
    """Images that were taken from a source.

    Attributes:
        images: As the reference stores them: uint8 of shape (n, channels, size, size), or float32
            points of shape (n, dimensions).
        labels: The class that each was drawn for, int64 of shape (n,); None where none was.
        notes: What was chosen or changed, in sentences.
    """

    images: Tensor
    labels: Tensor | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """Generated images, or what draws them.

    Attributes:
        name: For people: the name of the file or folder, or `array`.
        kind: Which of the three it is.
        options: What the user says of it.
        path: Where it lies; None for an array in memory.
        device: Where a generator runs.
        content: The array, the generator or the paths of the files.
    """

    name: str
    kind: Kind
    options: FakeOptions
    path: Path | None
    device: torch.device
    content: Any = field(repr=False)

    @property
    def count(self) -> int | None:
        """How many images there are; None for a generator, which draws as many as are wanted."""
        if isinstance(self.content, LoadedGenerator):
            return None
        if isinstance(self.content, list):
            return len(self.content)
        return int(self.content.shape[0]) if self.content.ndim else 0

    def take(
        self, dataset: Dataset, count: int, seed: int, report: Progress = ignore_progress
    ) -> Taken:
        """Take images in the form and size in which a dataset stores its own.

        Of more than are wanted, the seed chooses some; a generator draws them from the latents that
        a run of this seed is scored with.

        Raises:
            UsageError: What they hold does not fit the dataset, or cannot be told.
            DataError: They cannot be read.
        """
        if isinstance(self.content, LoadedGenerator):
            return self._drawn(self.content, dataset, count, seed, report)
        rows = None
        if self.count is not None and self.count > count:
            rows = torch.randperm(self.count, generator=generator(seed, "chosen fakes"))[:count]
            rows = rows.sort().values
        if isinstance(self.content, list):
            return self._decoded(self.content, dataset, rows, report)
        if form_of(dataset.spec).kind == "points":
            return Taken(points_of(self.content, dataset.spec.channels, self.name, rows))
        images = images_of(self.content, self.options.array, self.name, rows)
        return self._in_form(images, dataset)

    def hash(self, report: Progress = ignore_progress) -> str:
        """Hash what the images follow from, to 16 hexadecimal digits."""
        digest = hashlib.sha256(repr((self.kind, self.options)).encode())
        if self.path is None:
            digest.update(images_of(self.content, self.options.array, self.name).numpy().data)
            return digest.hexdigest()[:16]
        files = self.content if isinstance(self.content, list) else [self.path]
        for place, file in enumerate(files):
            name = file.relative_to(self.path) if file != self.path else Path()
            digest.update(str(name).encode(errors="surrogateescape"))
            with file.open("rb") as opened:
                while block := opened.read(_HASHED_BYTES):
                    digest.update(block)
            report("reading files", place + 1, len(files))
        return digest.hexdigest()[:16]

    def _decoded(
        self, files: list[Path], dataset: Dataset, rows: Tensor | None, report: Progress
    ) -> Taken:
        if form_of(dataset.spec).kind == "points":
            raise UsageError(
                f"{self.name} is a folder of images, and {dataset.spec.name} holds points: "
                f"give an array of shape (N, {dataset.spec.channels})"
            )
        chosen = files if rows is None else [files[row] for row in rows.tolist()]
        images, notes = decode_files(
            chosen, dataset.spec.channels, int(dataset.train.images.shape[-1]), report
        )
        taken = self._in_form(images, dataset)
        return replace(taken, notes=(*notes, *taken.notes))

    def _in_form(self, images: Tensor, dataset: Dataset, *, is_ours: bool = False) -> Taken:
        images = with_channels(images, dataset.spec.channels, self.name)
        size = int(dataset.train.images.shape[-1])
        images, notes = fitted(images, size, self.options.fit, self.name, is_ours=is_ours)
        return Taken(images, None, notes)

    def _drawn(
        self,
        loaded: LoadedGenerator,
        dataset: Dataset,
        count: int,
        seed: int,
        report: Progress,
    ) -> Taken:
        facts, spec = loaded.facts, dataset.spec
        if facts.classes and facts.classes != len(spec.class_names):
            raise UsageError(
                f"{self.name} draws {facts.classes} classes, and {spec.name} has "
                f"{len(spec.class_names)}: score it against the data that it was trained on"
            )
        stream = generator(seed, "evaluation latents")
        shape = (count, facts.latent_dim)
        latents = (
            torch.rand(shape, generator=stream).mul_(2).sub_(1)
            if facts.latent == "uniform"
            else torch.randn(shape, generator=stream)
        )
        labels = _labels(dataset, count, seed) if facts.classes else None
        size, form, parts = loaded.batch_size or BATCH_SIZE, self.options.array, []
        for start in range(0, count, size):
            latent = latents[start : start + size]
            classes = None if labels is None else labels[start : start + size]
            kept = len(latent)
            if loaded.batch_size and kept < size:  # it takes whole batches only
                latent = torch.cat([latent, latents[: size - kept]])
            drawn = loaded.draw(latent, classes)[:kept]
            if len(drawn) != kept:
                raise DataError(f"{self.name} draws {len(drawn)} images from {kept} latents")
            if form_of(spec).kind == "points":
                parts.append(points_of(drawn, spec.channels, self.name))
            else:
                if form.value_range == "auto" and drawn.dtype != torch.uint8:
                    form = replace(form, value_range="-1..1" if drawn.min() < 0 else "0..1")
                parts.append(images_of(drawn, form, self.name))
            report("drawing images", min(start + size, count), count)
        if form_of(spec).kind == "points":
            return Taken(torch.cat(parts), labels)
        return replace(
            self._in_form(torch.cat(parts), dataset, is_ours=facts.is_ours), labels=labels
        )


def _labels(dataset: Dataset, count: int, seed: int) -> Tensor:
    """Classes to draw, in the proportions of the training split, as runs are scored with."""
    labels = dataset.train.labels.cpu()
    chosen = torch.randperm(len(labels), generator=generator(seed, "evaluation labels"))
    return labels[chosen[:count]]


def open_source(
    given: Any, options: FakeOptions | None = None, device: torch.device | None = None
) -> Source:
    """Find out what generated images are given as, and open it.

    Args:
        given: A path of a folder of images, of an array file or of a generator's file; or an array
            or tensor.
        options: What the user says of them.
        device: Where a generator of TorchScript runs; the CPU if left out.

    Raises:
        UsageError: It is none of these.
        DataError: It cannot be read.
    """
    options, device = options or FakeOptions(), device or torch.device("cpu")
    if not isinstance(given, str | Path):
        if not (hasattr(given, "shape") and hasattr(given, "dtype")):
            raise UsageError(
                f"a {type(given).__name__} holds no images: give an array or tensor of images, or "
                "the path of a folder, an array file or a generator's file"
            )
        return Source("array", "array", options, None, device, given)
    path = Path(given).expanduser()
    if path.is_dir():
        return Source(path.name, "folder", options, path, device, image_files(path))
    if path.suffix in GENERATOR_ENDINGS or is_torchscript(path):
        loaded = load_generator_file(path, device, options.latent_dim, options.latent)
        return Source(path.name, "generator", options, path, device, loaded)
    if path.suffix in ARRAY_ENDINGS:
        content = read_array(path, options.array.key)
        return Source(path.name, "array", options, path, device, content)
    if not path.exists():
        raise UsageError(f"{path} does not exist: give a folder of images, an array or a generator")
    allowed = ", ".join((*ARRAY_ENDINGS, *GENERATOR_ENDINGS))
    raise UsageError(
        f"{path} is neither a folder of images nor a file that ends in one of {allowed}"
    )

"""Scores of images or generators made elsewhere, from Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganbench import data
from ganbench.api.arguments import LARGEST_SEED, optional_path, optional_text, path, whole
from ganbench.api.display import display
from ganbench.errors import unknown
from ganbench.fakes.arrays import LAYOUTS, RANGES, ArrayFormat
from ganbench.fakes.generator_files import LATENTS
from ganbench.fakes.real import real_dataset, reference_for
from ganbench.fakes.scored import score_source
from ganbench.fakes.sizes import FITS
from ganbench.fakes.source import FakeOptions, open_source
from ganbench.launch.progress import said_by
from ganbench.machine.device import choose
from ganbench.scoring.backbones.backbone import check_backbone

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ganbench.fakes.arrays import Layout, ValueRange
    from ganbench.fakes.generator_files import Latent
    from ganbench.fakes.scored import Scored
    from ganbench.fakes.sizes import Fit

__all__ = ["score"]


def score(
    images: Any,
    reference: Any,
    *,
    seed: int = 0,
    device: str = "auto",
    backbone: str = "auto",
    inception_weights: str | Path | None = None,
    data_root: str | Path | None = None,
    layout: Layout = "auto",
    value_range: ValueRange = "auto",
    key: str | None = None,
    fit: Fit = "auto",
    latent_dim: int | None = None,
    latent: Latent | None = None,
    quiet: bool = True,
) -> Scored:
    """Score generated images by the protocol of `ganbench run`, as `ganbench score` does.

    Args:
        images: An array or tensor of images: (N, C, H, W), (N, H, W, C) or (N, H, W), uint8 or
            floats in [-1, 1] or [0, 1]; or the path of a folder of images, of an array file
            (`.npy`, `.npz`, `.pt`), or of a generator of TorchScript or ONNX, which is run.
        reference: The real images: a dataset's name, `imagefolder:DIR`, a folder, an array file or
            an array.
        seed: Of a generator's latents, and of the choice of some images where there are more.
        device: `auto`, `cuda`, `cuda:1`, `mps` or `cpu`.
        backbone: `auto`, `inception`, `efficientnet` or `classifier`.
        inception_weights: File with the Inception weights, instead of a download.
        data_root: Where datasets are, or are downloaded to.
        layout: `NCHW` or `NHWC` where the shape of an array leaves that open.
        value_range: `-1..1`, `0..1` or `0..255` where the floats of an array leave that open.
        key: Name of the array in a file that holds several.
        fit: `crop` or `resize` for images of another size than the reference's.
        latent_dim: Entries of a generator's latent, if its file does not say it.
        latent: `normal` or `uniform`, if it is not what the file says.
        quiet: Whether to show no progress.

    Raises:
        UsageError: Something was given that cannot be scored; the message says what to do.
        DataError: Files cannot be read.
    """
    _check("layout", layout, LAYOUTS)
    _check("value_range", value_range, RANGES)
    _check("fit", fit, FITS)
    if latent is not None:
        _check("latent", latent, LATENTS)
    cache_root = data.default_cache_root()
    weights = optional_path("inception_weights", inception_weights)
    root = optional_path("data_root", data_root) or data.default_data_root()
    seed = whole("seed", seed, 0, LARGEST_SEED)
    if latent_dim is not None:
        latent_dim = whole("latent_dim", latent_dim, 1, LARGEST_SEED)
    key = optional_text("key", key)
    for name, given in (("images", images), ("reference", reference)):
        if isinstance(given, str | Path):
            path(name, given)  # as an empty one would be the working directory
    form = ArrayFormat(layout, value_range, key)
    check_backbone(backbone, cache_root, weights)  # before anything large is read
    chosen = choose(device)
    source = open_source(images, FakeOptions(form, fit, latent_dim, latent), chosen.torch)
    with display(quiet=quiet) as shown, said_by(shown):
        dataset = real_dataset(
            reference,
            data_root=root,
            cache_root=cache_root,
            report=shown.report,
            form=form,
        )
        real = reference_for(
            dataset,
            backbone=backbone,
            device=chosen.torch,
            cache_root=cache_root,
            report=shown.report,
            say=shown.say,
            inception_weights=weights,
        )
        return score_source(source, real, seed=seed, cache_root=cache_root, report=shown.report)


def _check(name: str, value: str, allowed: Iterable[str]) -> None:
    if value not in (names := list(allowed)):
        raise unknown(name, str(value), names)

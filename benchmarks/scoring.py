"""The parts that `evaluation.py` measures: extraction, all scores, and the arithmetic of FID."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from measuring import spread
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.utils import create_feature_extractor, extract_featuresdict_from_input_id
from turns import timed
from workloads import random_inception_weights, untrained_classifier

from ganbench.data.dataset import ignore_progress
from ganbench.data.noise import noise
from ganbench.machine.memory import (
    peak_host_memory_bytes,
    release_host_memory,
    reset_peak_host_memory,
)
from ganbench.scoring.backbones.backbone import Backbone, Features
from ganbench.scoring.backbones.fuse import fuse_batchnorm
from ganbench.scoring.backbones.inception import obtain_inception
from ganbench.scoring.metrics.all_scores import score
from ganbench.scoring.metrics.fid import Statistics, fid
from ganbench.scoring.metrics.real_side import RealSide

if TYPE_CHECKING:
    from ganbench.machine.device import Device

__all__ = ["AllScoresWork", "Extraction", "classifier_seconds", "fid_arithmetic"]

_CLASSES = 10
_LOGITS = 1008
_WARMUP_IMAGES = 32


class Extraction:
    """The same images through the same InceptionV3, in ganbench's way and in torch-fidelity's."""

    def __init__(self, count: int, device: Device, folder: Path) -> None:
        self.device = device
        weights = random_inception_weights(folder)
        network = fuse_batchnorm(obtain_inception(weights, folder, ignore_progress)).to(
            device.torch
        )
        classifier = untrained_classifier(3, 32, device)
        self.ours = Backbone("inception", "random", classifier, "", 32, device.torch, network)
        self.options = {"cuda": device.kind == "cuda", "save_cpu_ram": True, "verbose": False}
        self.theirs = create_feature_extractor(
            "inception-v3-compat", ["2048"], feature_extractor_weights_path=str(weights),
            **self.options,
        )  # fmt: skip
        images = noise(count, 3, 32).images
        self.halves = images[: count // 2], images[count // 2 :] // 2  # the latter are darker

    def by_ganbench(self) -> list[torch.Tensor]:
        """Vectors of both halves; the classifier's probabilities and the logits come with them."""
        return [self.ours.extract(images).vectors for images in self.halves]

    def by_torch_fidelity(self) -> list[torch.Tensor]:
        """Vectors alone, at its own batch of 64; no worker processes, which slow it down here."""
        return [
            extract_featuresdict_from_input_id(
                1, self.theirs, input1=_Images(images), **self.options
            )["2048"]
            for images in self.halves
        ]

    def measure(self, rounds: int) -> dict[str, Any]:
        """Both in turns, and the difference of their FIDs."""
        self.ours.extract(self.halves[0][:_WARMUP_IMAGES])
        self.theirs(self.halves[0][:_WARMUP_IMAGES].to(self.device.torch))
        count = sum(map(len, self.halves))
        turns = []
        for _ in range(rounds):
            seconds, ours = timed(self.by_ganbench, self.device)
            other_seconds, theirs = timed(self.by_torch_fidelity, self.device)
            turns.append((count / seconds, count / other_seconds))
        own, expected = (fid(*map(Statistics.of, halves)) for halves in (ours, theirs))
        return {
            "what": "inception features",
            "images": count,
            "ganbench_images_per_second": spread([one for one, _ in turns]),
            "torch_fidelity_images_per_second": spread([other for _, other in turns]),
            "ratio": spread([one / other for one, other in turns]),
            "fid": own,
            "fid_difference": abs(own - expected),
        }


class _Images(torch.utils.data.Dataset[torch.Tensor]):
    """Images as torch-fidelity takes them: one after another."""

    def __init__(self, images: torch.Tensor) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> torch.Tensor:
        return self.images[index]


@dataclass(frozen=True)
class AllScoresWork:
    """Features in ten clusters, as many as a run is scored on.

    Attributes:
        backbone: Name of the backbone that the features stand for.
        entries: Length of a vector.
        real_count: Training images.
        fake_count: Generated images, and as many held-out ones.
    """

    backbone: str
    entries: int
    real_count: int
    fake_count: int

    def features(self, count: int, seed: int) -> Features:
        """Non-negative vectors that lie around ten centres, and probabilities that name these."""
        centres = torch.rand(_CLASSES, self.entries, generator=torch.Generator().manual_seed(99))
        generator = torch.Generator().manual_seed(seed)
        labels = torch.arange(count) % _CLASSES
        vectors = (
            torch.randn(count, self.entries, generator=generator).mul_(0.5).add_(centres[labels])
        )
        probabilities = torch.nn.functional.one_hot(labels, _CLASSES).float()
        logits = None
        if self.backbone == "inception":
            logits = torch.randn(count, _LOGITS, generator=generator)
        return Features(vectors.relu_(), probabilities, logits=logits)

    @cached_property
    def real(self) -> Features:
        """Features of the training split."""
        return self.features(self.real_count, 0)

    @cached_property
    def statistics(self) -> Statistics:
        """Statistics of the real vectors, with their root computed."""
        statistics = Statistics.of(self.real.vectors)
        assert statistics.root.isfinite().all()
        return statistics

    def measure(self, rounds: int, device: Device, extraction_seconds: float) -> dict[str, Any]:
        """All scores of a generator, their memory, and extraction beside them.

        What is the same for all generators of a seed is computed once for each dataset and seed; it
        is timed apart.
        """
        fake, held_out = (self.features(self.fake_count, seed) for seed in (1, 2))
        labels = torch.arange(self.real_count) % _CLASSES
        assert self.statistics.count == self.real_count
        before = peak_host_memory_now()

        def all_scores() -> None:
            score(
                self.real, fake, real_labels=labels, held_out=held_out, backbone=self.backbone,
                real_statistics=self.statistics, real_side=side,
            )  # fmt: skip

        real_seconds, side = timed(
            lambda: RealSide.of(
                self.real.vectors, self.fake_count, held_out.vectors, seed=0, has_kid=True
            ),
            device,
        )
        seconds = [timed(all_scores, device)[0] for _ in range(rounds)]
        return {
            "what": "panel",
            "backbone": self.backbone,
            "entries": self.entries,
            "real_images": self.real_count,
            "fake_images": self.fake_count,
            "panel_seconds": spread(seconds),
            "real_side_seconds": real_seconds,
            "extraction_seconds": extraction_seconds,
            "share_of_extraction": spread([one / extraction_seconds for one in seconds]),
            "total_seconds": spread([one + extraction_seconds for one in seconds]),
            "added_peak_host_memory_bytes": peak_host_memory_bytes() - before,
        }


def peak_host_memory_now() -> int:
    """Start a new peak, and return the bytes that this process holds at the moment."""
    release_host_memory()  # kept memory would hide what is allocated next
    reset_peak_host_memory()
    return peak_host_memory_bytes()


def classifier_seconds(count: int, fake_count: int, device: Device) -> float:
    """Seconds that the classifier of MNIST takes for `fake_count` images, from `count` of them."""
    classifier = untrained_classifier(1, 28, device)
    backbone = Backbone("classifier", "random", classifier, "", 28, device.torch)
    images = noise(count, 1, 28).images
    backbone.extract(images[:_WARMUP_IMAGES])
    seconds, _ = timed(lambda: backbone.extract(images), device)
    return seconds * fake_count / count


def fid_arithmetic(work: AllScoresWork, rounds: int, device: Device) -> dict[str, Any]:
    """FID of one more generator from its vectors, by both in turns; the real side is known."""
    fake = work.features(work.fake_count, 1).vectors
    known = {"mu": work.statistics.mean.numpy(), "sigma": work.statistics.covariance.numpy()}

    exact = fake.double()  # in float32 torch-fidelity's mean would be float32 as well

    def by_torch_fidelity() -> float:
        values = fid_statistics_to_metric(fid_features_to_statistics(exact), known, verbose=False)
        return float(values["frechet_inception_distance"])

    turns = []
    for _ in range(rounds):
        ours, own = timed(lambda: fid(work.statistics, Statistics.of(fake)), device)
        theirs, expected = timed(by_torch_fidelity, device)
        turns.append((ours, theirs))
    return {
        "what": "fid arithmetic",
        "entries": work.entries,
        "images": work.fake_count,
        "ganbench_seconds": spread([ours for ours, _ in turns]),
        "torch_fidelity_seconds": spread([theirs for _, theirs in turns]),
        "ratio": spread([theirs / ours for ours, theirs in turns]),
        "fid": own,
        "relative_difference": abs(own - expected) / expected,
    }

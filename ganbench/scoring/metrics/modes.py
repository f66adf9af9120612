"""Which classes a generator draws, and how often.

The dataset's classifier names the class of each generated image. A class is covered if the share
of the generated images that are named so with a probability of at least 0.5 is at least a tenth
(strictly: half) of the class's share of the real images. Shares take the place of the counts that
Srivastava et al. 2017 (arXiv:1705.07761) use, so that the rule means the same for any number of
images and for unequal classes, and unsure images do not cover anything.

Stacked digits are counted by the published protocol instead (`Modes.by_argmax`), so that numbers
compare with published ones: a mode is found if one image has it, whatever the image looks like.

A classifier is also sure of what it has never seen, such as noise. So only images that are in the
distribution of the real ones count, by the distance of their features (`Features.distances`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from ganbench.scoring.metrics.checks import check_labels, check_matrix

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["CONFIDENT", "COVERED", "COVERED_STRICT", "EXPECTED_OUTSIDE", "Modes"]

CONFIDENT = 0.5
COVERED = 0.1
COVERED_STRICT = 0.5
EXPECTED_OUTSIDE = 0.01
"""Share of held-out real images outside the distribution, from which its threshold follows."""
_EXPECTED_INSIDE = 1 - EXPECTED_OUTSIDE
_ROUNDING = 1e-12  # a tenth of a share is not exact in binary; a share of exactly a tenth counts


@dataclass(frozen=True, eq=False)
class Modes:
    """The class histograms of real and generated images, and what follows from them.

    Attributes:
        real: float64 (classes,), share of each class among the real images, by their labels.
        fake: float64 (classes,), share of the generated images that are in the distribution and
            of which each class is the most likely one.
        confident: float64 (classes,), share of the generated images that are in the distribution
            and named so with a probability of at least 0.5.
        real_count: Real images.
    """

    real: Tensor
    fake: Tensor
    confident: Tensor
    real_count: int

    @classmethod
    def of(cls, probabilities: Tensor, real_labels: Tensor, inside: Tensor | None = None) -> Modes:
        """Count classes.

        Args:
            probabilities: The classifier's, of the generated images, of shape (images, classes).
            real_labels: Class index of each real image.
            inside: bool (images,), which generated images are in the distribution; None for all.

        Raises:
            ValueError: Probabilities are no finite matrix, labels are outside its classes, or
                there are no real images.
        """
        check_matrix("probabilities of generated images", probabilities)
        classes = probabilities.shape[1]
        check_labels("real labels", real_labels, count=len(real_labels), classes=classes)
        if not len(real_labels):
            raise ValueError("real labels are empty: modes need real images")
        certainty, named = probabilities.max(dim=1)
        counted = torch.ones_like(named, dtype=torch.bool) if inside is None else inside
        sure = counted & (certainty >= CONFIDENT)
        return cls(
            real=_shares(real_labels, classes, of=len(real_labels)),
            fake=_shares(named[counted], classes, of=len(named)),
            confident=_shares(named[sure], classes, of=len(named)),
            real_count=len(real_labels),
        )

    @classmethod
    def by_argmax(cls, probabilities: Tensor) -> Modes:
        """Count classes as the published protocol of stacked MNIST does (arXiv:1712.04086).

        Each image counts under its most likely class, and all classes are equally frequent.

        Args:
            probabilities: The classifier's, of the generated images, of shape (images, classes).

        Raises:
            ValueError: Probabilities are no finite matrix.
        """
        check_matrix("probabilities of generated images", probabilities)
        count, classes = probabilities.shape
        shares = _shares(probabilities.argmax(dim=1), classes, of=count)
        uniform = torch.full((classes,), 1 / classes, dtype=torch.float64)
        return cls(uniform, shares, shares, real_count=count)

    @property
    def found(self) -> Tensor:
        """Return which classes one generated image or more shows: bool (classes,)."""
        return self.fake > 0

    @property
    def total(self) -> int:
        """Classes that occur among the real images."""
        return int((self.real > 0).sum())

    def covered(self, fraction: float = COVERED) -> Tensor:
        """Return which classes are covered: bool (classes,), false where no image is real."""
        enough = self.confident >= fraction * self.real - _ROUNDING
        return (self.real > 0) & enough

    @property
    def outside(self) -> float:
        """Share of the generated images outside the distribution, beyond what real images have.

        0 for real images, of which 1% are outside; 1 where all generated ones are.
        """
        return min(
            1.0, max(0.0, (1 - float(self.fake.sum()) - EXPECTED_OUTSIDE) / _EXPECTED_INSIDE)
        )

    @property
    def kl(self) -> float:
        """KL(generated || real) of the histograms in nats, from 0; lower is better.

        One image repeated gives log(classes) where classes are equally frequent, and each image
        outside the distribution counts as much. A class without real images is taken for one of
        half an image, so that the score stays finite.
        """
        floor = 0.5 / self.real_count
        real = self.real.clamp(min=floor)
        fake = self._counted
        inside = float(torch.special.xlogy(fake, fake / (real / real.sum())).sum())
        return max(0.0, (1 - self.outside) * inside) + self.outside * math.log(len(fake))

    @property
    def entropy(self) -> float:
        """Entropy of the generated class histogram in nats, from 0 to log(classes).

        Images outside the distribution take their share from it, as they have no class.
        """
        return (1 - self.outside) * float(torch.special.entr(self._counted).sum())

    @property
    def _counted(self) -> Tensor:
        """Share of each class among the generated images in the distribution; zeros without any."""
        return self.fake / self.fake.sum().clamp(min=torch.finfo().tiny)


def _shares(labels: Tensor, classes: int, *, of: int) -> Tensor:
    return torch.bincount(labels, minlength=classes).double() / of

"""Whether an image shows what its prompt asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganbench.scoring.metrics.checks import check_labels, check_matrix

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["prompt_alignment"]


def prompt_alignment(probabilities: Tensor, wanted: Tensor, inside: Tensor | None = None) -> float:
    """Share of images whose most likely class is the one that their prompt named, 0 to 1.

    Only images in the distribution of the real ones show a class. Higher is better; 1/classes is
    chance. It does not see whether a prompt always draws the same
    image, and no image can be better aligned than the classifier is accurate.

    Args:
        probabilities: The classifier's, of images that were drawn from prompts, of shape
            (images, classes).
        wanted: int64 (images,), the class that the prompt of each image named.
        inside: bool (images,), which images are in the distribution; None for all.

    Raises:
        ValueError: Probabilities are no finite matrix, or labels do not fit them.
    """
    check_matrix("probabilities of prompted images", probabilities)
    count, classes = probabilities.shape
    check_labels("wanted classes", wanted, count=count, classes=classes)
    aligned = probabilities.argmax(dim=1) == wanted
    return float((aligned if inside is None else aligned & inside).double().mean())

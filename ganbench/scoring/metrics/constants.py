"""Numbers and names that scores and reports share; importing them loads nothing heavy."""

from __future__ import annotations

__all__ = [
    "DENSITY_K",
    "HELD_OUT",
    "HELD_OUT_POINTS",
    "NOISE",
    "PANEL",
    "PANEL_LEFT",
    "PANEL_TOP",
    "PROMPT_IMAGE_LIMIT",
    "UNTRAINED",
    "images_per_prompt",
]

DENSITY_K = 5
"""Neighbours that make a neighbourhood of density and coverage, plain or clipped."""

PROMPT_IMAGE_LIMIT = 1000
"""The most images that are drawn from prompts in all, equally many from each."""

HELD_OUT = "held-out real images"
HELD_OUT_POINTS = "held-out real points"
UNTRAINED = "untrained generator"
NOISE = "noise"
"""What the reference rows of a comparison are called."""

PANEL = 280
"""Pixels in height and width of the part of a picture that shows points."""
PANEL_LEFT = 36
"""Pixels left of it, with the numbers of the axis."""
PANEL_TOP = 28
"""Pixels above it, with its title."""

_FEWEST_PER_PROMPT = 2  # so that each of two halves has one


def images_per_prompt(limit: int, generated: int, prompts: int) -> int:
    """Images that are drawn from each prompt: as many as both limits allow, and at least two.

    Args:
        limit: The most that are drawn from all prompts together.
        generated: Images that the generator draws for the other scores.
        prompts: Classes of the dataset, each of which has one.
    """
    return max(_FEWEST_PER_PROMPT, min(limit, generated) // prompts)

"""Augmentation for variants: the public names of `ganbench.variant.augmentation`."""

from ganbench.variant.augmentation import *  # noqa: F403
from ganbench.variant.augmentation import __all__  # noqa: F401 - the list is kept in one place

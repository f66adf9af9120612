"""Losses for variants: the public names of `ganbench.variant.losses`."""

from ganbench.variant.losses import *  # noqa: F403
from ganbench.variant.losses import __all__  # noqa: F401 - the list is kept in one place

"""Networks for variants: the public names of `ganbench.variant.networks`."""

from ganbench.variant.networks import *  # noqa: F403
from ganbench.variant.networks import __all__  # noqa: F401 - the list is kept in one place

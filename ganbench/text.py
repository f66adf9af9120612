"""Text without a vocabulary: the public names of `ganbench.variant.text`."""

from ganbench.variant.text import *  # noqa: F403
from ganbench.variant.text import __all__  # noqa: F401 - the list is kept in one place

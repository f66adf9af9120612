"""The built-in variants, one file each: the file's name, with - for _, is the variant's name."""

if __name__ != "ganbench.variants":
    raise ImportError(
        f"this package is ganbench.variants, not {__name__}: a second copy would be loaded"
    )

"""The metrics' self-test: known generators, and how each score answers them.

A score is useful for the faults that it detects. The self-test scores generators whose faults are
known, since they are made of real images: new ones (the control, drawn many times, so that chance
is known), few images repeated, classes missing, training images copied, pixels spoilt, classes out
of proportion. The result says, for each score and fault, whether the score sees it, is blind to it,
or is misled.

Importing this package loads nothing heavy.
"""

"""Training speed over batch sizes, beside the limit of the machine.

The networks are trained as `ganbench run` trains them, on random bytes in the shape of a dataset.
"""

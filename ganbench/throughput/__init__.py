"""Training speed of each variant over batch sizes, beside the machine's limit.

The networks are trained as `ganbench run` trains them, on random bytes in the shape of a dataset.
"""

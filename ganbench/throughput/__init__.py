"""`ganbench throughput`: how fast each variant trains at each batch size, and how fast it could.

The networks are trained as `ganbench run` trains them, on random bytes in the shape of a dataset.
"""

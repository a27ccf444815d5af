"""What datasets are made of: lazy, immutable sequences of samples, one derived from another.

They are plain picklable objects with no public face of their own: `lake.dataset.Dataset` is it.
"""

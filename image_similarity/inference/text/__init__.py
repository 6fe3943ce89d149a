"""Words to unit vectors in the same space as those of pictures, if the model has a text tower.

Nothing that handles pictures imports this package. It opens no file before the first text comes.
"""

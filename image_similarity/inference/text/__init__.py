"""Words to unit vectors that lie among those of pictures, where the model has a text tower.

Nothing of the way of a picture imports this package. It opens no file before the first text comes.
"""

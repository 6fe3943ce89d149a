"""Pictures in folders of this machine: listed, read, and kept in an index that follows them.

`listing` finds files, `files` reads them, `store` shows them to the catalogue as it sees the objects of a
bucket, and `index` is one file that holds their vectors.
"""

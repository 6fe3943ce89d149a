"""The version, once: of the package, the project and what fetched servers are told."""

__version__ = "1.0.0"

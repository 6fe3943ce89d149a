"""Measurements that docs/performance.md and docs/cost.md answer for: `make bench`."""

"""Measurements that docs/performance.md and docs/cost.md answer for: `make bench`.

Rooms, each of which knows only those after it: `report` (tables, plots, pages), `cost` (prices and what a
million requests cost), `measure` (contenders and instruments). `baseline` is what we are compared with: it
runs in processes and environments of its own, so no room imports it. `results` holds the recorded runs.
"""

"""The measurements behind docs/performance.md and docs/cost.md: `make bench`.

Rooms, each of which imports only those after it: `report` (tables, plots, pages), `cost` (prices and what a
million requests cost), `measure` (contenders and instruments). `baseline` is what we compare with: it
runs in processes and environments of its own, so no room imports it. `results` holds the recorded runs.
"""

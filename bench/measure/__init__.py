"""Contenders, the requests that they get, and the instruments: everything that makes a `results.Run`."""

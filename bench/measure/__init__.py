"""Contenders, what they are asked, and the instruments: everything that runs to give a `results.Run`."""

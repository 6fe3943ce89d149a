"""The synthesized stack on this machine, in rooms each of which knows only those before it.

`template` resolves it, `backends` are what its API calls, `gateway` serves that API, `stack` starts them.
"""

"""The services that a catalogue lives in, on this machine: moto's, and a strict layer over them.

moto answers what AWS answers; the layer refuses what AWS refuses, and adds what moto lacks. It is one
place, so that it can be read beside AWS's documentation.
"""

"""Makes the test vectors. Start it with `python vectors/generate.py`."""

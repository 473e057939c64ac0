"""Training: plans runs as populations and trains each population with one compiled program.

The engine receives only training and validation arrays; it has no access to the test set.
"""

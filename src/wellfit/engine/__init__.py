"""How we train: runs are planned into populations, and a population is trained by one compiled program.

The engine is given training and validation arrays and nothing else; it cannot reach the test set.
"""

"""wellfit: which regularisation makes a small neural network generalise, with error bars."""

__version__ = "0.1.0"

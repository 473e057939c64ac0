"""What we conclude: metrics, statistics, diagnostics and words. NumPy and SciPy; no JAX, no files."""

"""Numbers only: metrics, intervals, comparisons, rankings, paths, interim analyses; NumPy and SciPy."""

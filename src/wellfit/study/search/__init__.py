"""Adaptive search: configurations are asked of a sampler in batches, trained, and the best one becomes a variant."""

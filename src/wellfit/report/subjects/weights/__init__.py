"""The weights: their norm by epoch, their distribution, and the filters of the first layer."""

"""Planning, training, growing, deciding, merging, verifying and summarizing studies; importing it loads nothing."""

"""The report of a study: static figures, the interactive page, the terminal. It reads summary and details only."""

"""What we show of a study: static figures, the interactive page, the terminal. All of it reads a StudySummary alone."""

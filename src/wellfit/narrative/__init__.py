"""Numbers into sentences: conclusions, answers, advice; each sentence with the keys of its sources."""

"""Numbers into sentences: conclusions, answers and advice, each sentence with the keys of its sources."""

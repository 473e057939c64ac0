"""The answer: conclusion, answers to the questions, advice, key figures."""

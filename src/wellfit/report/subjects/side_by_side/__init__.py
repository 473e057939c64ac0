"""Two studies side by side: numbers and figure."""

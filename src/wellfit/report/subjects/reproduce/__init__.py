"""How to reproduce the study."""

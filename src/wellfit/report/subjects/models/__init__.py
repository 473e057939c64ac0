"""The layers of every network: section."""

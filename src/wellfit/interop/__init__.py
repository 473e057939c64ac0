"""Doors to other libraries: models go out to them, and estimators of theirs train here."""

"""The model that leaves a study: chosen by validation, used on new examples, saved in one file."""

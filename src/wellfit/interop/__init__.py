"""The doors: forms in which models leave wellfit, and in which they come in; optional packages are imported here."""

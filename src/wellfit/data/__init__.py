"""Data: readers, the catalog of known data sets, splits and scaling, and audits.

Nothing is imported here, so that the catalog can be read without NumPy.
"""

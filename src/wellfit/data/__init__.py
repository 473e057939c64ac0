"""What we learn from: readers, the catalog of known data sets, splits and scaling, and audits of all of them.

Nothing is imported here, so that the catalog's table can be read without NumPy.
"""

"""Files of arrays: NumPy's npz and npy, MATLAB's mat, and HDF5."""

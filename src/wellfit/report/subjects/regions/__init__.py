"""Decision regions, for data with two features."""

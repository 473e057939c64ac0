"""Training on other machines: the parts of a study, what trains one, who hands them out, and the door to Ray."""

"""Networks from Keras: the architecture in a ``.keras`` file or in JSON, as wellfit's own settings. Nothing is run."""

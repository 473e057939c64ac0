"""What a report shows, subject by subject: numbers, figures and template side by side.

Every ``plot_`` function draws on the axes ``ax``, or on a new figure where that is None, and returns the figure.
"""

"""The drawing vocabulary: strokes for matplotlib and Bokeh, colors, fonts."""

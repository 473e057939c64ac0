"""The forms of the report: page, PDF, Markdown, notebook, pictures, terminal, live."""

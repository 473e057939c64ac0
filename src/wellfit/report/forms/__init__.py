"""What each form of the report is: page, PDF, Markdown, notebook, pictures, terminal, live."""

"""What we ask: study files, the store that keeps what was answered, and the runner between them.

Importing this package loads nothing; import its modules: ``spec`` (the question), ``store`` (the study directory).
"""

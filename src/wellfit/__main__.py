"""``python -m wellfit`` is ``wellfit``."""

from wellfit.cli import main

main()

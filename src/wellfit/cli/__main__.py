"""``python -m wellfit.cli`` is ``wellfit``."""

from wellfit.cli import main

if __name__ == "__main__":
    main()

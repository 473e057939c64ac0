"""``python -m wellfit.cli`` runs ``wellfit``."""

from wellfit.cli import main

if __name__ == "__main__":
    main()

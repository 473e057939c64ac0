"""The command ``wellfit``, and ``python -m wellfit``."""

from __future__ import annotations

from wellfit.ending import end_on_signals

__all__ = ["main"]


def main() -> None:
    """Run the command line; a signal ends it in the same way while it is loaded, at work, and leaving."""
    end_on_signals()
    from wellfit.cli import main as run  # half a second

    run()


if __name__ == "__main__":
    main()

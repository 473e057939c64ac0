"""Options that several commands share."""

from __future__ import annotations

import sys

import pytest

from wellfit.cli.options import typed_command


def test_the_typed_command_can_be_pasted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/wellfit", "run", "my study.toml", "--seeds", "3"])
    assert typed_command() == "wellfit run 'my study.toml' --seeds 3"

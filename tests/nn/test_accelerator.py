"""Whether networks train on an accelerator."""

from __future__ import annotations

import jax
import pytest

from wellfit.nn import accelerator


def test_a_cpu_is_none_unless_it_is_assumed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not accelerator.in_use()
    with accelerator.assumed():
        assert accelerator.in_use()
        with accelerator.assumed():
            pass
        assert accelerator.in_use()
    assert not accelerator.in_use()

    def fail() -> None:
        with accelerator.assumed():
            raise ValueError("within")

    with pytest.raises(ValueError, match="within"):
        fail()
    assert not accelerator.in_use()
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert accelerator.in_use()

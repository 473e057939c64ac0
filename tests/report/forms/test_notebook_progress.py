"""The progress of a training in notebooks and scripts."""

from __future__ import annotations

import pytest

from wellfit.report.forms import notebook_progress as module
from wellfit.study.run import Progress


class Handle:
    """The methods of IPython's display handle that are used."""

    def __init__(self) -> None:
        self.shown: list[dict[str, str]] = []

    def update(self, data: dict[str, str], raw: bool) -> None:
        assert raw
        self.shown.append(data)


@pytest.fixture
def handle(monkeypatch: pytest.MonkeyPatch) -> Handle:
    found = Handle()

    def display(data: dict[str, str], raw: bool, display_id: bool) -> Handle:
        assert display_id
        found.update(data, raw)
        return found

    monkeypatch.setattr("IPython.display.display", display)
    return found


def test_a_notebooks_bar_changes_a_few_times_a_second(handle: Handle, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([*(0.01 * step for step in range(1000)), 30.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    bar = module.NotebookProgress()
    for epoch in range(1, 1001):
        bar.update(Progress(epoch, 1000, 3, 100, epoch / 1000, 1000 - epoch if epoch > 2 else None))
    bar.close(whole=True)
    assert 10 <= len(handle.shown) <= 10 / module.EVERY + 2
    assert handle.shown[0]["text/plain"] == "0 %  epoch 1/1000, 3 runs"
    assert handle.shown[-2]["text/plain"].endswith(" s left")
    assert handle.shown[-1]["text/plain"] == "Trained in 30 s"
    assert "<progress" in handle.shown[0]["text/html"]
    assert "<progress" not in handle.shown[-1]["text/html"]


def test_an_interrupted_bar_says_where(handle: Handle) -> None:
    bar = module.NotebookProgress()
    bar.update(Progress(1, 4, 1, 10, 0.25))
    bar.update(Progress(0, 0, 1, 0, 0.5))
    bar.close(whole=False)
    assert handle.shown[-1]["text/plain"].startswith("Stopped at 50 % after")


def test_nothing_is_shown_without_training(handle: Handle) -> None:
    module.NotebookProgress().close(whole=True)
    assert not handle.shown


def in_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)


def interrupted() -> None:
    with module.progress_display() as on_progress:
        on_progress(Progress(1, 2, 1, 10, 0.5))
        raise KeyboardInterrupt


def test_notebooks_get_a_bar_and_scripts_two_lines(
    handle: Handle, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with module.progress_display() as on_progress:
        on_progress(Progress(1, 1, 1, 10, 1.0))
    assert capsys.readouterr().out == ""
    with module.progress_display(wanted=True) as on_progress:
        on_progress(Progress(1, 1, 1, 10, 1.0))
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert not handle.shown
    in_a_notebook(monkeypatch)
    with module.progress_display(wanted=False) as on_progress:
        on_progress(Progress(1, 1, 1, 10, 1.0))
    assert not handle.shown
    with module.progress_display() as on_progress:
        on_progress(Progress(1, 1, 1, 10, 1.0))
    assert [data["text/plain"].split()[0] for data in handle.shown] == ["100", "Trained"]
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert handle.shown[-1]["text/plain"].startswith("Stopped at 50 %")

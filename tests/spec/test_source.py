"""Where things stand: parts of a file have a way of their own to every key."""

from __future__ import annotations

import pytest

from wellfit.errors import StudyFileError
from wellfit.spec.source import Source, read_setting

TEXT = '[train]\nl2 = 1\n[parts.a]\ntitle = "x"\n[parts.a.variants.b]\nl2 = 2\n'


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("train", "l2"), "s.toml, line 2, [train] l2"),
        (("parts", "a", "title"), "s.toml, line 4, [parts.a] title"),
        (("parts", "a", "variants", "b", "l2"), "s.toml, line 6, [parts.a.variants.b] l2"),
        (("parts", "a"), "s.toml, line 3, [parts] a"),
        (("parts",), "s.toml, line 3, parts"),
    ],
)
def test_the_place_of_a_key(path: tuple[str, ...], place: str) -> None:
    assert Source("s.toml", TEXT).place(path) == place


def test_a_part_is_a_source_of_its_own_over_its_file() -> None:
    whole = Source("s.toml", TEXT)
    part = Source("s.toml", TEXT, prefix=("parts", "a"), under=whole)
    assert part.place(("variants", "b", "l2")) == "s.toml, line 6, [parts.a.variants.b] l2"
    assert part.place(("train", "l2")) == "s.toml, line 2, [train] l2"
    assert part.place(("train", "epochs")) == "s.toml, line 1, [train] epochs"
    assert part.place(("model", "hidden")) == "s.toml, line 3, [parts.a.model] hidden"


def test_a_setting_without_a_value_is_refused() -> None:
    with pytest.raises(StudyFileError, match="not of the form KEY=VALUE"):
        read_setting("train.epochs")

from dataclasses import replace

from detailed import NOTHING
from summaries import PROVENANCE, study
from wellfit.report.parts import Code, Table
from wellfit.report.subjects.reproduce.section import fragment, parts
from wellfit.spec.study import load_study
from wellfit.spec.written import study_file


def test_command_provenance_and_study_file() -> None:
    command, table, _, study_text = parts(study(epochs=3), NOTHING)
    assert command == Code(PROVENANCE["command"])
    assert isinstance(table, Table)
    assert dict(table.rows) == {key: value for key, value in PROVENANCE.items() if key != "command"}
    assert study_text == Code(study_file(load_study("lab5", epochs=3)))


def test_without_provenance_the_study_file_remains() -> None:
    bare = replace(study(epochs=3), provenance={})
    assert parts(bare, NOTHING)[1:] == [Code(study_file(load_study("lab5", epochs=3)))]
    assert fragment(bare, NOTHING, {})["command"] == ""

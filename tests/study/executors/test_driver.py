"""The process that hands out parts and stores what comes back, with machines that are this process."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from here_pool import HerePool
from small_studies import points, small, unsplit
from wellfit.base import Dataset
from wellfit.errors import StoreUnreadableError, WellfitError
from wellfit.spec.study import StudySpec
from wellfit.store import contents, open_existing, progress
from wellfit.store.progress import ProgressFile
from wellfit.study.executors import driver, worker
from wellfit.study.executors.driver import ATTEMPTS, check_nodes
from wellfit.study.executors.parts import Event, Failed, Job, Lost, Node, Reported, Trained, seeds_of_part
from wellfit.study.interrupts import Interrupted
from wellfit.study.provenance import machine_facts, several_machines, versions
from wellfit.study.run import Progress, run_study
from wellfit.study.session import Session
from wellfit.study.summarize import summarize
from wellfit.study.verify import verify_study

VARIANTS: dict[str, Any] = {
    "plain": {},
    "l2": {"l2": 0.01},
    "early": {"early_stopping": {"patience": 1}},
    "sgd": {"optimizer": "sgd"},
    "swa": {"average": {"kind": "swa", "last": 2}},
}


def sessions(spec: StudySpec, data: Dataset, directory: Path, **options: Any) -> Session:
    return Session(spec, data, directory, pool=HerePool(data, spec.data, **options))


def same(one: Path, other: Path) -> None:
    """Both directories have the same runs, bit by bit."""
    with open_existing(one) as a, open_existing(other) as b:
        assert contents.files(a) == contents.files(b)
        kept = [
            {(r.spec.variant, r.spec.seed): (r.epochs, r.readout_epoch, r.scores) for r in store.runs.records()}
            for store in (a, b)
        ]
        assert kept[0] == kept[1]
        assert a.runs.test_scores() == b.runs.test_scores()


@pytest.mark.parametrize(("folds", "places"), [(1, 1), (5, 3)])
def test_what_was_trained_elsewhere_has_the_bits_of_one_run(folds: int, places: int, tmp_path: Path) -> None:
    data = unsplit() if folds > 1 else points()
    spec = small(3, 3, folds, **VARIANTS)
    run_study(Session(spec, data, tmp_path / "here"))
    told: list[Progress] = []
    run_study(sessions(spec, data, tmp_path / "there", places=places), on_progress=told.append)
    same(tmp_path / "here", tmp_path / "there")
    summary = summarize(tmp_path / "there")
    assert summary.state == "finished"
    assert summary.comparisons == summarize(tmp_path / "here").comparisons
    assert verify_study(tmp_path / "there").problems == ()
    shares = [progress.share for progress in told]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert told[0].active == 15
    assert Session(spec, data, tmp_path / "there").forecast.plan.runs == 0
    kept = sorted(path.name for path in (tmp_path / "there").iterdir())
    assert kept == sorted(path.name for path in (tmp_path / "here").iterdir())  # no progress or checkpoint is left


def test_nothing_is_asked_of_machines_where_nothing_is_to_be_trained(tmp_path: Path) -> None:
    spec = small(2, plain={})
    run_study(Session(spec, points(), tmp_path / "s"))
    session = sessions(spec, points(), tmp_path / "s")
    session.pool.nodes = None  # type: ignore[union-attr,misc]
    run_study(session)
    assert session.pool.begun == {}  # type: ignore[union-attr]
    assert "trained on" not in dict(session.forecast.facts)


def test_a_part_whose_process_dies_is_trained_again(tmp_path: Path) -> None:
    spec = small(3, 3, **VARIANTS)
    run_study(Session(spec, points(), tmp_path / "here"))

    def die(number: int, attempt: int, event: Event) -> Event:
        return Lost("its process died") if attempt <= number % ATTEMPTS else event

    session = sessions(spec, points(), tmp_path / "there", act=die)
    run_study(session)
    begun = session.pool.begun  # type: ignore[union-attr]
    assert begun == {number: 1 + number % ATTEMPTS for number in begun}
    assert max(begun.values()) > 1
    same(tmp_path / "here", tmp_path / "there")


def test_it_continues_from_the_last_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "CHECKPOINT_SECONDS", 0.0)
    spec, starts = small(4, 2, **VARIANTS), []
    run_study(Session(spec, points(), tmp_path / "here"))
    session = sessions(
        spec, points(), tmp_path / "there", act=lambda n, attempt, event: Lost("") if attempt == 1 else event
    )
    submit = session.pool.submit  # type: ignore[union-attr]
    monkeypatch.setattr(session.pool, "submit", lambda n, job: (starts.append(job.start), submit(n, job)))
    run_study(session)
    assert [start.meta["epoch"] for start in starts if start is not None] == [3] * (len(starts) // 2)
    same(tmp_path / "here", tmp_path / "there")


MANY: Any = small(4, 16, 4, **VARIANTS)
"""With folds of a few examples each: several of them are one part."""


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study trained here, to be read."""
    directory = tmp_path_factory.mktemp("many") / "here"
    run_study(Session(MANY, unsplit(), directory))
    return directory


def test_seeds_with_small_data_of_their_own_are_one_part(many: Path, tmp_path: Path) -> None:
    session = sessions(MANY, unsplit(), tmp_path / "there")
    jobs: list[Job] = []
    submit = session.pool.submit  # type: ignore[union-attr]
    session.pool.submit = lambda n, job: (jobs.append(job), submit(n, job))  # type: ignore[union-attr,method-assign]
    run_study(session)
    same(many, tmp_path / "there")
    seeds = seeds_of_part(session.plan, 1)
    assert 1 < seeds < 16
    assert {len(job.seeds or ()) for job in jobs} == {seeds, 16 % seeds} - {0}
    assert len(jobs) < len(session.plan.populations) / 2
    assert not list((tmp_path / "there" / "checkpoints").iterdir())


def test_a_part_of_several_seeds_continues_from_its_last_snapshot(
    many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "CHECKPOINT_SECONDS", 0.0)
    session = sessions(
        MANY, unsplit(), tmp_path / "there", act=lambda n, attempt, event: Lost("") if attempt == 1 else event
    )
    starts: list[Any] = []
    submit = session.pool.submit  # type: ignore[union-attr]
    monkeypatch.setattr(session.pool, "submit", lambda n, job: (starts.append(job.start), submit(n, job)))
    run_study(session)
    assert [start.meta["epoch"] for start in starts if start is not None] == [3] * (len(starts) // 2)
    same(many, tmp_path / "there")


@pytest.mark.parametrize("later", ["here", "there"])
def test_a_driver_killed_among_seeds_is_continued(later: str, many: Path, tmp_path: Path) -> None:
    def die(number: int, attempt: int, event: Event) -> Event:
        if number == 2:
            raise SystemExit
        return event

    with pytest.raises(SystemExit):
        run_study(sessions(MANY, unsplit(), tmp_path / "two", act=die))
    again = sessions(MANY, unsplit(), tmp_path / "two")
    assert again.stored.finished
    run_study(again if later == "there" else replace(again, pool=None))
    same(many, tmp_path / "two")


def test_one_that_always_dies_ends_the_command_and_keeps_what_is_finished(tmp_path: Path) -> None:
    spec = small(2, 4, **VARIANTS)
    session = sessions(
        spec, points(), tmp_path / "s", act=lambda n, attempt, event: Lost("its machine is gone") if n == 1 else event
    )
    with pytest.raises(WellfitError, match=rf"training of \S+ died {ATTEMPTS} times in a row \(its machine is gone\)"):
        run_study(session)
    assert session.pool.stopped == 1  # type: ignore[union-attr]
    with open_existing(tmp_path / "s") as store:
        assert store.runs.finished()
        assert not store.is_running()


@pytest.mark.parametrize("later", ["here", "there"])
@pytest.mark.parametrize("parts", [1, 2])
def test_a_killed_driver_is_continued_with_the_same_bits(parts: int, later: str, tmp_path: Path) -> None:
    """By the same command, or by one that trains here: what remains is planned as the whole was."""
    spec = small(3, 3, **VARIANTS)
    run_study(Session(spec, points(), tmp_path / "one"))

    def die(number: int, attempt: int, event: Event) -> Event:
        if number == parts:
            raise SystemExit
        return event

    with pytest.raises(SystemExit):
        run_study(sessions(spec, points(), tmp_path / "two", act=die))
    again = sessions(spec, points(), tmp_path / "two")
    if later == "here":
        again = replace(again, pool=None)
    before = again.stored.finished
    assert before
    programs = {population.program for population in Session(spec, points(), tmp_path / "one").plan.populations}
    assert {population.program for population in again.remaining.plan.populations} <= programs
    run_study(again)
    same(tmp_path / "one", tmp_path / "two")
    if later == "there":
        trained = {t.name for _, part in enumerate(again.remaining.plan.populations) for t in part.trajectories}
        assert not trained & {f"{variant}.{seed}" for variant, seed in before}


@pytest.mark.parametrize("first", ["here", "there"])
def test_more_epochs_and_seeds_continue_as_here(first: str, tmp_path: Path) -> None:
    variants = {name: VARIANTS[name] for name in ("plain", "l2", "sgd")}
    for spec in (small(2, 2, **variants), small(4, 3, **variants)):
        run_study(Session(spec, points(), tmp_path / "here"))
        session = sessions(spec, points(), tmp_path / "there")
        if first == "here" and len(spec.seeds) == 2:
            session = replace(session, pool=None)
        if len(spec.seeds) == 3:
            assert session.forecast.continued == 6
            assert not session.forecast.restarted
        run_study(session)
    same(tmp_path / "here", tmp_path / "there")


def test_ctrl_c_keeps_finished_runs(tmp_path: Path) -> None:
    def interrupt(number: int, attempt: int, event: Event) -> Event:
        signal.raise_signal(signal.SIGINT)
        return event

    session = sessions(small(2, 4, **VARIANTS), points(), tmp_path / "s", act=interrupt)
    with pytest.raises(Interrupted, match="Finished runs and the last checkpoints are kept"):
        run_study(session)
    assert session.pool.stopped == 1  # type: ignore[union-attr]
    assert sessions(small(2, 4, **VARIANTS), points(), tmp_path / "s").stored.finished


def test_the_store_says_which_machine_trained_a_run(tmp_path: Path) -> None:
    spec = small(2, 4, sgd={"optimizer": "sgd"})

    def elsewhere(number: int, attempt: int, event: Event) -> Event:
        assert isinstance(event, Trained)
        return replace(event, machine={**event.machine, "processor": f"Fast {number % 2}, 8 cores"})

    run_study(sessions(spec, points(), tmp_path / "s", act=elsewhere))
    with open_existing(tmp_path / "s") as store:
        of_runs = {
            f"{variant}.{seed}": end["machine"]["processor"]
            for end in store.final_states.descriptions().values()
            for variant, seed in end["runs"]
        }
        assert store.metadata.provenance()["processor"] == "Fast 0, 8 cores; then Fast 1, 8 cores"
    assert len(of_runs) == 12
    assert set(of_runs.values()) == {"Fast 0, 8 cores", "Fast 1, 8 cores"}
    assert "more than one processor" in several_machines(summarize(tmp_path / "s").provenance)


def test_the_plan_says_where_it_trains_and_what_moves(tmp_path: Path) -> None:
    spec = small(2, plain={})
    session = sessions(spec, points(), tmp_path / "s", places=3)
    assert dict(session.forecast.facts)["trained on"] == "Ray, 1 machine, 3 trainings side by side"
    run_study(session)
    grown = sessions(small(4, plain={}), points(), tmp_path / "s")
    other = replace(grown.pool.nodes[0], machine={**machine_facts(), "processor": "Other, 2 cores"})  # type: ignore[union-attr]
    grown.pool.nodes = [other]  # type: ignore[union-attr,misc]
    assert "Continued with processor Other, 2 cores instead of" in grown.forecast.cautions[-1]


def test_states_that_are_none_are_refused(tmp_path: Path) -> None:
    session = sessions(small(2, plain={}), points(), tmp_path / "s", act=lambda *_: Failed("", "rows are no history"))
    with pytest.raises(StoreUnreadableError, match="not a file of wellfit"):
        run_study(session)


@pytest.mark.parametrize("name", ["wellfit", "python", "jax", "jaxlib", "numpy", "optax"])
def test_other_versions_are_refused_before_anything_is_written(name: str, tmp_path: Path) -> None:
    session = sessions(small(2, plain={}), points(), tmp_path / "s")
    session.pool.nodes = [Node({**versions(), name: "0.0.1"}, machine_facts())]  # type: ignore[union-attr,misc]
    with pytest.raises(WellfitError, match=rf"a worker \(.*\) has {name} 0\.0\.1, and the command .*; install"):
        run_study(session)
    assert not (tmp_path / "s").exists()


def test_other_code_and_missing_kernels_are_refused() -> None:
    good = Node(versions(), machine_facts(), "llvmlite is not installed")
    check_nodes([good], kernels=False)
    with pytest.raises(WellfitError, match=r"no generated kernels, .* llvmlite is not installed"):
        check_nodes([good], kernels=True)
    with pytest.raises(WellfitError, match="has other code of wellfit; install the same version in both places"):
        check_nodes([good, Node({**versions(), "code": "0"}, machine_facts())], kernels=False)


def test_reports_of_a_part_that_has_ended_are_old(tmp_path: Path) -> None:
    session = sessions(small(2, plain={}), points(), tmp_path / "s")
    events = session.pool.events  # type: ignore[union-attr]
    session.pool.events = lambda seconds: [*events(seconds), (0, Reported(1, 2, 2, {}))]  # type: ignore[union-attr,method-assign]
    run_study(session)
    assert summarize(tmp_path / "s").state == "finished"
    assert driver.ATTEMPTS > 1


class Counted(dict[Any, Any]):
    """Rows of a report that count how often they are read."""

    reads = 0

    def items(self) -> Any:
        Counted.reads += 1
        return super().items()


class Watching:
    """A progress file that keeps what it is told, and evaluates it once at the end."""

    rows: Any = None

    def drop(self) -> None:
        pass

    def write(self, rows: Any, left: float | None) -> None:
        self.rows = rows


def in_training(parts: int) -> tuple[driver._Run, Watching, list[Any]]:
    """A driver that has handed out so many parts, its progress file, and what it tells."""
    calls: list[int] = []
    work = SimpleNamespace(
        left=lambda population: 4,
        trained_by=lambda population, epoch: (calls.append(epoch), epoch)[1],
        plan=SimpleNamespace(runs=parts),
    )
    session = SimpleNamespace(
        remaining=work, slowdown=1.0, around_training=(0.0, 0.0), spec=SimpleNamespace(base=SimpleNamespace(epochs=4))
    )
    file, told = Watching(), []
    places = [SimpleNamespace(population=number) for number in range(parts)]
    run = driver._Run(session, SimpleNamespace(progress=file), None, lambda *of: told.append(of), places)  # type: ignore[arg-type]
    run.reported, run.attempts = dict.fromkeys(range(parts)), dict.fromkeys(range(parts), 1)
    return run, file, [told, calls]


def report(number: int, epoch: int) -> Reported:
    return Reported(epoch, 4, 1, Counted({("l2", number): np.full((epoch, 12), float(number))}))


def test_an_event_costs_what_it_brings_and_not_what_all_parts_have_brought() -> None:
    run, file, (told, calls) = in_training(50)
    Counted.reads = 0
    for number in range(50):
        run.take(number, report(number, 1))
    for epoch in (2, 3, 4):
        run.take(7, report(7, epoch))
    assert len(told) == len(calls) == Counted.reads == 53
    shares = [share for *_, share, _, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == (49 + 4) / 200
    rows = told[-1][-1]()
    assert rows.keys() == {("l2", number) for number in range(50)} == file.rows().keys()
    assert [len(rows["l2", number]) for number in (6, 7)] == [1, 4]
    assert Counted.reads == 53


def test_the_progress_file_never_mixes_up_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part whose process died comes back behind the others; the file then begins again."""
    monkeypatch.setattr(progress, "SECONDS", 0.0)
    run, _, _ = in_training(2)
    file = ProgressFile(tmp_path / "progress")
    run.store = SimpleNamespace(progress=file)  # type: ignore[assignment]
    for number in (0, 1, 0, 1):
        run.take(number, report(number, 1))
    run.take(0, Lost("its process died"))
    run.reported[0] = None
    for number, epoch in ((0, 1), (1, 2), (0, 2)):
        run.take(number, report(number, epoch))
    curves = {runs: history["train_loss"].tolist() for runs, history in file.read().items()}
    assert curves == {("l2", 0): [0.0, 0.0], ("l2", 1): [1.0, 1.0]}
    assert run._share()[0] == 4 / 8


def test_a_lost_part_alone_begins_its_epochs_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SECONDS", 0.0)
    run, _, _ = in_training(1)
    file = ProgressFile(tmp_path / "progress")
    run.store = SimpleNamespace(progress=file)  # type: ignore[assignment]
    for epoch in (1, 2, 3):
        run.take(0, report(0, epoch))
    run.take(0, Lost("its process died"))
    run.reported[0] = None
    for epoch in (2, 3, 4):  # from its checkpoint after the first
        run.take(0, report(0, epoch))
        assert [len(history) for history in file.read().values()] == [epoch]

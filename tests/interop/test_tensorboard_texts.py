"""What TensorBoard shows in words."""

from __future__ import annotations

from dataclasses import replace

from summaries import study
from wellfit.base import EarlyStopping, ModelSpec, Recipe
from wellfit.interop.tensorboard_texts import conclusion_text, run_settings


def test_settings_are_the_usual_ones_and_those_that_differ() -> None:
    stop = Recipe(early_stopping=EarlyStopping(patience=3), model=ModelSpec("mlp", (8, 4)), optimizer="sgd")
    settings = run_settings({"baseline": Recipe(), "stop": stop, "always": replace(stop, early_stopping=None)})
    assert set(settings["baseline"]) >= {"variant", "optimizer", "learning_rate", "batch_size", "epochs"}
    assert settings["stop"]["early_stopping.patience"] == 3.0
    assert settings["stop"]["model.hidden"] == "8, 4"
    assert settings["stop"]["early_stopping.restore_best_weights"] is stop.early_stopping.restore_best_weights
    assert "early_stopping.patience" not in settings["baseline"]
    assert "l2" not in settings["stop"]


def test_the_text_has_question_answer_and_numbers() -> None:
    summary = study(variants=("baseline", "l2"))
    text = conclusion_text(replace(summary, title="Does <b> help? | *yes*"))
    assert text.startswith("## Does &lt;b&gt; help? \\| \\*yes\\*\n")
    assert all(f"| {name} |" in text for name in ("baseline", "l2"))
    assert "| Variant | Test accuracy | 95 % interval |" in text
    assert "```toml" in text

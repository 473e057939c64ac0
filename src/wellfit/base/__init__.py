"""The vocabulary: every word of wellfit that is data, as a frozen dataclass.

The words stand in the order in which data flows: a data set becomes splits; a recipe and a seed make a run; a run that
was trained is a record; records become the summary of a study. Nothing here computes, reads or draws.
"""

from wellfit.base.data import Dataset, FloatArray, IntArray, Scaling, Splits, TrainingData
from wellfit.base.details import (
    Bounds,
    Calibration,
    ClassTable,
    ConfusionDifference,
    DataLook,
    Ensemble,
    Mistakes,
    Regions,
    StudyDetails,
    SweepGrid,
    SweepPath,
    WeightLook,
)
from wellfit.base.findings import FINDING_TITLES, Finding
from wellfit.base.recipe import MONITORS, Augmentation, Averaging, EarlyStopping, LayerSpec, ModelSpec, Recipe, Schedule
from wellfit.base.runs import HISTORY_COLUMNS, History, RunRecord, RunSpec, RunState
from wellfit.base.summary import (
    MARGIN,
    QUESTIONS,
    Answer,
    Comparison,
    PairedEvidence,
    Question,
    Ranked,
    RunSummary,
    Sentence,
    StudySummary,
    VariantSummary,
    Verdict,
)

__all__ = [
    "FINDING_TITLES",
    "HISTORY_COLUMNS",
    "MARGIN",
    "MONITORS",
    "QUESTIONS",
    "Answer",
    "Augmentation",
    "Averaging",
    "Bounds",
    "Calibration",
    "ClassTable",
    "Comparison",
    "ConfusionDifference",
    "DataLook",
    "Dataset",
    "EarlyStopping",
    "Ensemble",
    "Finding",
    "FloatArray",
    "History",
    "IntArray",
    "LayerSpec",
    "Mistakes",
    "ModelSpec",
    "PairedEvidence",
    "Question",
    "Ranked",
    "Recipe",
    "Regions",
    "RunRecord",
    "RunSpec",
    "RunState",
    "RunSummary",
    "Scaling",
    "Schedule",
    "Sentence",
    "Splits",
    "StudyDetails",
    "StudySummary",
    "SweepGrid",
    "SweepPath",
    "TrainingData",
    "VariantSummary",
    "Verdict",
    "WeightLook",
]

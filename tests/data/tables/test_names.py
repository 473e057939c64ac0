"""What names of columns say."""

from __future__ import annotations

import pytest

from wellfit.data.tables.names import id_name, is_feature_name, is_measure_name, label_rank, says_nothing


@pytest.mark.parametrize(
    ("name", "rank"),
    [
        *((name, "certain") for name in ("label", "Labels", " TARGET ", "class_label", "target_class", "y_true")),
        *((name, "class") for name in ("class", "Class", "classes", "y", "Y")),
        *(
            (name, "likely")
            for name in (
                "Species",
                "Outcome",
                "diagnosis",
                "Churn",
                "Churn?",
                "Exited",
                "Survived",
                "is_fraud",
                "HeartDisease",
                "loan_status",
                "DEATH_EVENT",
                "quality",
                "Category",
                "cluster",
                "income",
                "target_species",
                "NObeyesdad",
                "TenYearCHD",
                "default.10yr",
                "churn_flag",
            )
        ),
        *((name, "possible") for name in ("Type", "status", "result", "Grade", "revenue")),
        *((name, "") for name in ("tenure", "Pclass", "ship class", "passenger_class", "classroom", "id", "", "years")),
    ],
)
def test_labels(name, rank):
    assert label_rank(name, []) == rank


def test_y_beside_x_is_a_coordinate():
    assert label_rank("y", ["x", "y", "label"]) == ""
    assert label_rank("Y", ["X", "Y"]) == ""
    assert label_rank("y", ["x1", "x2", "y"]) == "class"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(
            (name, "id")
            for name in (
                "id",
                "ID",
                "Id",
                "PassengerId",
                "ImageId",
                "row_id",
                "customerID",
                "Unnamed: 0",
                "index",
                "patient id",
                "uuid",
                "sample_code_number",
            )
        ),
        *((name, "number") for name in ("Ticket", "phone number", "zip code", "Name", "account_no", "serial")),
        *((name, "") for name in ("paid", "idle", "grid", "humid", "number of rooms", "width", "david")),
    ],
)
def test_identifiers(name, kind):
    assert id_name(name) == kind


def test_quantities_and_properties():
    assert all(map(is_measure_name, ("Age", "sale_price", "SalePrice", "tenure", "median_house_value")))
    assert not any(map(is_measure_name, ("species", "agent", "target")))
    assert all(map(is_feature_name, ("sex", "Gender", "age", "rooms", "Embarked")))
    assert not is_feature_name("species")


def test_headers_that_only_count():
    assert says_nothing(["0", "1", ""])
    assert says_nothing(["V1", "v2", "Unnamed: 0", "feature_3", "x 4", "Column5"])
    assert not says_nothing(["V1", "V2", "Class"])

"""What the names of columns say: labels, identifiers, measurements, or nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal

__all__ = [
    "id_name",
    "is_feature_name",
    "is_measure_name",
    "is_owner_name",
    "is_target_name",
    "label_rank",
    "says_nothing",
]


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CERTAIN: Final = _set(
    """label labels classlabel classlabels labelname target targets targetlabel targetclass truelabel yvalue ytrue
    groundtruth labelid classid labelencoded encodedlabel"""
)
_CLASS: Final = _set("class classes classname classification y")
_LIKELY: Final = _set(
    """species outcome diagnosis churn churned exited survived category cluster clusters quality fraud attrition
    isfraud fraudulent loanstatus loanapproved approved creditrisk spam sentiment digit letter emotion cultivar variety
    subscribed heartdisease hasdisease disease stroke cancer malignant fetalhealth pricerange nobeyesdad obesity
    transported purchased clicked clickedonad poisonous edible admitted failure machinefailure defect defective
    income incomelevel incomebracket customerchurn churnvalue bankrupt bankruptcy diabetes diabetic hasdiabetes
    readmitted intrusion attack attacktype malware phishing hypothyroid genre breed cropname croplabel fruit
    weathertype satisfaction dropout prognosis readmission canceled iscanceled defaulted deathevent
    loandefault default10yr tenyearchd classasd chd cvd hd speciesname irisclass"""
)
_POSSIBLE: Final = _set(
    """type status result results grade stage risk risklevel level condition response output default deposit revenue
    activity decision prediction predicted kind winner conclusion drug drugtype"""
)
_FEATURES: Final = _set(
    """sex gender race ethnicity region city country state county province color colour island site season month
    weekday day smoker married maritalstatus marital education occupation job jobtitle department embarked deck cabin
    name firstname lastname address street email phone zip zipcode postcode currency brand make model manufacturer
    company material shape size unit units language continent nationality origin workclass relationship housing
    date time year hour port room rooms bedrooms bathrooms floor floors children kids dependents pclass"""
)
_MEASURES: Final = _set(
    """age price prices saleprice cost costs value amount salary wage rent sales tenure charges medv medhouseval
    medianhousevalue mpg temperature temp humidity weight height distance duration score rating count total demand
    consumption quantity population area rings strength fare pm25 co2 horsepower displacement bmi glucose progression
    minutes hours days seconds profit pressure speed"""
)
_TARGETS: Final = _set("price prices saleprice value medv mpg salary sales")
_IDENTIFIERS: Final = _set(
    """id ids index idx rowid rownumber rownum rowno rowname rownames row uuid guid sno srno sr serialno serialnumber
    obs observation recordid recordno record sampleid exampleid imageid passengerid customerid patientid userid
    sampleno samplenumber samplecodenumber hash md5 sha1 sha256"""
)
_OWNERS: Final = _set(
    """patient subject participant person speaker writer user customer client student donor animal mouse family
    household session recording video experiment batch"""
)
_NUMBERED: Final = _set("number no nr num code ticket name names key serial hash account phone reference")
_NOTHING = re.compile(r"|\d+|unnamed: \d+|(v|x|c|f|a|attr|attribute|att|col|column|feature|feat|var|field)[ _.-]?\d+")


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()


def _words(name: str) -> list[str]:
    """The words of a name: of ``PassengerId``, passenger and id."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


def says_nothing(names: Sequence[str]) -> bool:
    """Whether a header only counts its columns.

    Example:
      >>> says_nothing(["0", "1", "2"]), says_nothing(["V1", "V2", "Class"])
      (True, False)
    """
    return all(_NOTHING.fullmatch(name.strip().lower()) for name in names)


def label_rank(name: str, others: Sequence[str]) -> Literal["certain", "class", "likely", "possible", ""]:
    """How clearly a name means the label column; "" for other names.

    Args:
      name: as written.
      others: all names of the table; beside an ``x``, a ``y`` is a coordinate.

    Example:
      >>> label_rank("is_fraud", []), label_rank("Label", []), label_rank("y", ["x", "y"]), label_rank("tenure", [])
      ('likely', 'certain', '', '')
    """
    plain = _plain(name)
    if plain == "y" and any(_plain(other) == "x" for other in others):
        return ""
    if plain in _CERTAIN:
        return "certain"
    if plain in _CLASS:
        return "class"
    words = _words(name)
    short = "".join(words[1:] if words[:1] in (["is"], ["has"], ["target"]) else words)
    short = short.removesuffix("flag").removesuffix("label").removesuffix("yn")
    if plain in _LIKELY or short in _LIKELY:
        return "likely"
    return "possible" if plain in _POSSIBLE else ""


def is_feature_name(name: str) -> bool:
    """Whether a name is one of a property that tables have beside their label, such as sex or region."""
    return _plain(name) in _FEATURES or is_measure_name(name)


def is_measure_name(name: str) -> bool:
    """Whether a name is one of a quantity, such as price or age.

    Example:
      >>> is_measure_name("Sale_Price"), is_measure_name("target")
      (True, False)
    """
    return _plain(name) in _MEASURES or any(word in _MEASURES for word in _words(name)[-1:])


def is_target_name(name: str) -> bool:
    """Whether a name is one of a quantity that people predict, so that a column of texts beside it may be no label.

    Example:
      >>> is_target_name("median_house_value"), is_target_name("age")
      (True, False)
    """
    return any(word in _TARGETS for word in _words(name)[-1:])


def is_owner_name(name: str) -> bool:
    """Whether a name is one of whom or what several rows may come from, such as a patient.

    Example:
      >>> is_owner_name("patient"), is_owner_name("Speaker"), is_owner_name("user age")
      (True, True, False)
    """
    return any(word in _OWNERS for word in _words(name)[-1:])


def id_name(name: str) -> Literal["id", "number", ""]:
    """Whether a name is one of an identifier, or of a number or code that may be one.

    Example:
      >>> id_name("PassengerId"), id_name("patient_id"), id_name("Ticket"), id_name("paid"), id_name("number of rooms")
      ('id', 'id', 'number', '', '')
    """
    words = _words(name)
    last = words[-1] if words else ""
    if (
        _plain(name) in _IDENTIFIERS
        or last in ("id", "ids", "uuid", "guid")
        or name.strip().lower().startswith("unnamed:")
    ):
        return "id"
    return "number" if last in _NUMBERED else ""

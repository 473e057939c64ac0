"""Answers as text."""

from wellfit.base import Answer, Sentence


def test_an_answer_joins_its_sentences_and_their_sources():
    answer = Answer("Which?", "best", (Sentence("a.", ("x", "y")), Sentence("b.", ("y", "z"))))
    assert answer.text == "a. b."
    assert answer.sources == ("x", "y", "z")

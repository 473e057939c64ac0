"""The models in a Bokeh document as plain data, for tests of charts."""

from __future__ import annotations

import json


def objects(node):
    """Every Bokeh model in a document's JSON, references left out."""
    if isinstance(node, dict):
        if node.get("type") == "object" and "name" in node:
            yield node
        for value in node.values():
            yield from objects(value)
    elif isinstance(node, list):
        for value in node:
            yield from objects(value)


def models(charts, name, document="curves"):
    return [model for model in objects(json.loads(charts.documents[document])) if model["name"] == name]

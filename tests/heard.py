"""What a screen reader reads on a page: the browser's own accessibility tree, shadow roots included."""

from __future__ import annotations

from typing import Any

NAMED_ROLES = {"image", "img", "Canvas", "button", "link", "checkbox", "radio", "combobox", "table"}
"""Chromium's names of the roles that need an accessible name."""


def heard(tab: Any) -> list[tuple[str, str]]:
    """Role and name of everything on a page that a screen reader announces, in order."""
    nodes = tab.context.new_cdp_session(tab).send("Accessibility.getFullAXTree")["nodes"]
    return [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"]]


def nameless(nodes: list[tuple[str, str]]) -> list[str]:
    """The roles of elements that need a name but have none."""
    return [role for role, name in nodes if role in NAMED_ROLES and not name.strip()]


def pictures(nodes: list[tuple[str, str]]) -> list[str]:
    """The names of all pictures."""
    return [name for role, name in nodes if role in ("image", "img")]

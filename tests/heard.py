"""What who cannot see a page is told of it: the browser's own tree for screen readers, shadow roots included."""

from __future__ import annotations

from typing import Any

SAID_BY_NAME = {"image", "img", "Canvas", "button", "link", "checkbox", "radio", "combobox", "table"}
"""Roles, as Chromium calls them, of what cannot be understood without a name."""


def heard(tab: Any) -> list[tuple[str, str]]:
    """Role and name of everything in a page of which a screen reader is told, in order."""
    nodes = tab.context.new_cdp_session(tab).send("Accessibility.getFullAXTree")["nodes"]
    return [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"]]


def nameless(told: list[tuple[str, str]]) -> list[str]:
    """The roles of what needs a name, and has none."""
    return [role for role, name in told if role in SAID_BY_NAME and not name.strip()]


def pictures(told: list[tuple[str, str]]) -> list[str]:
    """The names of all pictures."""
    return [name for role, name in told if role in ("image", "img")]

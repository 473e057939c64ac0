#!/usr/bin/env python3
"""The notebooks of the five labs, executed, as pages of the documentation site: docs/notebooks/LAB.md with pictures.

Writes the notebook of each lab, runs it from top to bottom, and turns its cells and outputs into Markdown. A lab whose
study directory lies in DIRECTORY (DIRECTORY/lab5 ...) is shown with these results, and the directory is only read;
without one, the lab is trained as a quick look. Parts of a lab run inside its notebook, as quick looks too.

The pages are not part of the repository. ``mkdocs build`` puts them into the site where they exist.

Usage: python scripts/lab_pages.py [DIRECTORY] [--labs lab5,lab-depth]
Needs WELLFIT_DATA and pip install ".[notebook,pdf]".
"""

from __future__ import annotations

import argparse
import base64
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

LABS: Final = ("lab5", "lab-512", "lab-optimizers", "lab-lenet5", "lab-depth")
PAGES: Final = Path(__file__).parents[1] / "docs" / "notebooks"
FOLDED: Final = 24  # lines; longer cells are folded
LONG: Final = 3600  # seconds that a cell may take
INNER_STYLE: Final = re.compile(r"<style scoped>.*?</style>\s*", re.S)
STEERING: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def executed(lab: str, directory: Path | None, folder: Path) -> tuple[Any, float]:
    """A lab's notebook with its outputs, and how many seconds it ran.

    Args:
      directory: of the study; None trains a quick look.
      folder: where the notebook runs and its parts leave their results.
    """
    import nbclient
    import nbformat

    from wellfit import Study
    from wellfit.report.forms.notebook import write_notebook
    from wellfit.study.report_details import study_details
    from wellfit.study.summarize import summarize

    place = folder / "results"
    if directory is None:
        Study.from_toml(lab, quick=True).run(place, progress=False)
    else:
        shutil.copytree(directory, place)
    summary = summarize(place)
    path = write_notebook(summary, study_details(place, summary), folder / f"{lab}.ipynb", place)
    notebook = nbformat.read(path, as_version=4)
    started = time.perf_counter()
    nbclient.NotebookClient(notebook, timeout=LONG, resources={"metadata": {"path": str(folder)}}).execute()
    return notebook, time.perf_counter() - started


def page(notebook: Any, lab: str, pictures: Path) -> str:
    """The notebook as Markdown; its pictures are written into a folder beside the page."""
    pictures.mkdir(parents=True, exist_ok=True)
    blocks: list[str] = []
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            blocks.append(cell.source)
            continue
        blocks.append(_code(cell.source))
        for place, output in enumerate(cell.outputs):
            blocks.extend(_shown(output, pictures / f"{number}-{place}.png", lab))
    return "\n\n".join(blocks) + "\n"


def _code(source: str) -> str:
    """A cell; a long one, such as the study file, is folded."""
    lines, block = source.count("\n") + 1, f"```python\n{source}\n```"
    if lines <= FOLDED:
        return block
    return f'<details markdown="1"><summary>A cell of {lines} lines</summary>\n\n{block}\n\n</details>'


def _shown(output: Mapping[str, Any], picture: Path, lab: str) -> Iterator[str]:
    """An output of a cell as Markdown: a picture, HTML, Markdown or text."""
    if output["output_type"] == "stream":
        if text := STEERING.sub("", output["text"].split("\r")[-1]).strip("\n"):
            yield _printed(text)
        return
    data = output.get("data", {})
    if "image/png" in data:
        picture.write_bytes(base64.b64decode(data["image/png"]))
        alt = " ".join(data.get("text/plain", "").replace("[", "(").replace("]", ")").split())
        yield f"![{alt}]({lab}/{picture.name})"
    elif "text/html" in data:
        yield f'<div class="output">{INNER_STYLE.sub("", data["text/html"])}</div>'
    elif "text/markdown" in data:
        yield re.sub(r"^(#+ )", r"##\1", data["text/markdown"], flags=re.M)  # below the page's own headings
    elif "text/plain" in data:
        yield _printed(data["text/plain"])


def _printed(text: str) -> str:
    """What a cell printed, in a fence that it does not hold."""
    fence = "`" * max([3, *(len(ticks) + 1 for ticks in re.findall(r"`{3,}", text))])
    return f"{fence}{{ .text .output }}\n{text}\n{fence}"


def main() -> None:
    """Write the pages, and print how long each notebook took."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("directory", nargs="?", type=Path, help="with study directories of the labs")
    arguments.add_argument("--labs", default=",".join(LABS), help="which ones, separated by commas")
    options = arguments.parse_args()
    for lab in options.labs.split(","):
        kept = options.directory / lab if options.directory else None
        with tempfile.TemporaryDirectory() as folder:
            notebook, seconds = executed(lab, kept if kept and kept.is_dir() else None, Path(folder))
            shutil.rmtree(PAGES / lab, ignore_errors=True)
            text = page(notebook, lab, PAGES / lab)
        (PAGES / f"{lab}.md").write_text(text, encoding="utf-8")
        size = sum(file.stat().st_size for file in (PAGES / lab).iterdir())
        print(f"{lab}: {len(notebook.cells)} cells in {seconds:.0f} s, {size / 1e6:.1f} MB of pictures", flush=True)


if __name__ == "__main__":
    main()

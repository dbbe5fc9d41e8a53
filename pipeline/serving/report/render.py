"""Sections as one self-contained HTML page, or as Markdown with pictures beside it. Every value is escaped."""

from __future__ import annotations

import base64
import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.serving.report.exhibits import Section

# Characters that are markup in Markdown, besides those of HTML.
MARKUP = re.compile(r"([\\`*_\[\]|~$])")


@dataclass(frozen=True)
class Page:
    """A report: `preamble` holds sentences about what was read."""

    title: str
    preamble: Sequence[str]
    sections: Sequence[Section]


def as_html(page: Page) -> str:
    """The page, with its pictures inside."""
    return _environment().get_template("report.html.j2").render(page=page)


def as_markdown(page: Page, folder: str) -> str:
    """The text, with links to its pictures in that folder beside it."""
    return _environment().get_template("report.md.j2").render(page=page, folder=quote(folder))


def pictures(page: Page) -> dict[str, bytes]:
    """The pictures by file name."""
    exhibits = [exhibit for section in page.sections for exhibit in section.exhibits]
    return {f"{exhibit.id}.png": exhibit.picture.wide for exhibit in exhibits if exhibit.picture is not None}


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("pipeline.serving.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["base64"] = lambda content: base64.b64encode(content).decode("ascii")
    environment.filters["markdown"] = _markdown
    return environment


def _markdown(text: str) -> Markup:
    """A text that Markdown shows unchanged."""
    return Markup(MARKUP.sub(r"\\\1", html.escape(text, quote=False)))  # noqa: S704 - escaped in the same line

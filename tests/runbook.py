"""docs/runbook.md parsed: its sections, and its commands with their expected answers."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

TEXT = (Path(__file__).parents[1] / "docs" / "runbook.md").read_text(encoding="utf-8")
PROGRAM = ".venv/bin/python main.py "
PYTHON = ".venv/bin/python -c "
# The beginnings of the lines below a command; the head of the runbook explains them.
SAYS, MAY_SAY, EXIT = "# says ", "# may say ", "# exit "


@dataclass
class Command:
    """A command of a block: its environment, its arguments, and what its lines below say of the answer."""

    line: str
    environment: dict[str, str]
    arguments: list[str]
    says: list[str] = field(default_factory=list)
    may_say: list[str] = field(default_factory=list)
    exit_code: int = 0

    @property
    def verb(self) -> str:
        return self.arguments[0]


def parts() -> dict[str, str]:
    """Heading of the second level -> the text below it."""
    return _cut(TEXT, "## ")


def sections(part: str) -> list[tuple[str, str]]:
    """(heading of the third level, text below it) of a part, in order; a heading may stand twice."""
    return _pieces(parts()[part], "### ")


def blocks(text: str) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def script(section: str) -> str:
    """The one Python program in a section of Operations."""
    (found,) = re.findall(r"^```python\n(.*?)^```$", dict(sections("Operations"))[section], re.DOTALL | re.MULTILINE)
    return str(found)


def one_liners(section: str) -> list[str]:
    """What a section of Operations gives to `python -c`, in order."""
    lines = "".join(blocks(dict(sections("Operations"))[section])).splitlines()
    return [shlex.split(line)[2] for line in lines if line.startswith(PYTHON)]


def commands(text: str = TEXT) -> list[Command]:
    """Every command of Meterlake in the blocks of a text, in order."""
    found: list[Command] = []
    for block in blocks(text):
        last: Command | None = None
        for line in block.splitlines():
            if PROGRAM in line:
                before, after = line.split(PROGRAM, 1)
                last = Command(line, dict(word.split("=", 1) for word in before.split()), shlex.split(after))
                found.append(last)
            elif not line.startswith("#"):
                last = None  # another program's
            elif last and line.startswith(SAYS):
                last.says.append(line.removeprefix(SAYS).strip())
            elif last and line.startswith(MAY_SAY):
                last.may_say.append(line.removeprefix(MAY_SAY).strip())
            elif last and line.startswith(EXIT):
                last.exit_code = int(line.removeprefix(EXIT).split()[0])
    return found


def is_said(said: str, output: str) -> bool:
    """Whether the output holds the words in this order; … stands for anything, and blanks for any blanks."""
    words = [r"\s+".join(map(re.escape, piece.split())) for piece in said.split("…")]
    return re.search(r".*?".join(words), output, re.DOTALL) is not None


def _cut(text: str, mark: str) -> dict[str, str]:
    return dict(_pieces(text, mark))


def _pieces(text: str, mark: str) -> list[tuple[str, str]]:
    """Headings of that level with the text up to the next one; a line inside a block is no heading."""
    pieces: list[tuple[str, list[str]]] = []
    inside = False
    for line in text.splitlines(keepends=True):
        inside ^= line.startswith("```")
        if line.startswith(mark) and not inside:
            pieces.append((line.removeprefix(mark).strip(), []))
        elif pieces:
            pieces[-1][1].append(line)
    return [(heading, "".join(lines)) for heading, lines in pieces]

"""`check`: whether all that the configuration names is there and usable; exit 1 where something is not. No JVM."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rich.text import Text

from jobs.shared.called import as_typed
from jobs.shared.output import console
from pipeline.checks import folders, machine, outside
from pipeline.errors import printable

if TYPE_CHECKING:
    from pipeline.checks.finding import Finding
    from pipeline.runtime.context import Context


def run(context: Context, *, as_json: bool) -> bool:
    """Print a line for each thing that was looked at; whether all is well."""
    found = [*machine.found(context.settings), *folders.found(context), *outside.found(context.settings)]
    wrong = [each for each in found if each.problem]
    if as_json:
        findings = [{"what": each.what, "ok": each.problem is None, "says": _said(each)} for each in found]
        print(json.dumps({"ok": not wrong, "wrong": len(wrong), "findings": findings}, ensure_ascii=False))
        return not wrong
    out = console()
    widest = max(len(each.what) for each in found)
    for each in found:
        line = printable(as_typed(f"{'WRONG' if each.problem else 'ok':5}  {each.what:{widest}}  {_said(each)}"))
        out.print(Text(line, style="red" if each.problem else ""), soft_wrap=True)
    out.print(
        Text(
            f"{len(wrong)} of {len(found)} things {'is' if len(wrong) == 1 else 'are'} wrong."
            if wrong
            else f"All {len(found)} things are well."
        )
    )
    return not wrong


def _said(finding: Finding) -> str:
    return " ".join((finding.problem or finding.says).split())

"""Finds the reason in the output of a JVM that did not start."""

from __future__ import annotations

import re

# Lines that do not say why a JVM ended: log lines, stack lines, its own closing lines.
CHATTER = re.compile(
    r"\b(WARN|INFO|DEBUG)\b|^WARNING:|^\[otel\.javaagent |^\tat |^\t\.\.\. |^Error: (Could not create|A fatal exc)"
    r"|^Using Spark's default log4j profile:|^(Setting default log level|To adjust logging level) |^(NOTE: )?Picked up "
)
CRASH_REPORT = re.compile(r"^# (/.*hs_err_pid.*)$", re.MULTILINE)


def why_not_started(said: str, problem: Exception) -> str:
    r"""One line on why the JVM did not start: its crash, else its last informative line, else Python's reason.

    >>> why_not_started("#  SIGSEGV (0xb)\n# /home/me/hs_err_pid7.log\n# submit a bug report\n", OSError("gone"))
    'the JVM crashed, its report: /home/me/hs_err_pid7.log'
    >>> why_not_started("Unrecognized VM option 'X'\nError: Could not create the Java Virtual Machine.\n", OSError())
    "Unrecognized VM option 'X'"
    >>> why_not_started("Picked up JAVA_TOOL_OPTIONS: x\nUsing Spark's default log4j profile: x\n", OSError("gone"))
    'gone'
    >>> why_not_started("26/11/29 13:28:33 WARN Native: none\n", OSError("[GATEWAY_EXITED] the JVM ended\nmore"))
    '[GATEWAY_EXITED] the JVM ended'
    """
    if report := CRASH_REPORT.search(said):
        return f"the JVM crashed, its report: {report[1]}"
    lines = [line.strip() for line in said.splitlines() if line.strip() and not CHATTER.search(line)]
    return lines[-1] if lines else str(problem).partition("\n")[0] or type(problem).__name__

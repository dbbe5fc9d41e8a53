"""Every error that a person may read: a class for each concept, a line for each message: what, where, what to do."""

from __future__ import annotations

from pipeline.nearest import did_you_mean


def printable(text: str) -> str:
    """A text for a terminal: control sequences, line breaks and invisible characters are shown, not interpreted."""
    return text if text.isprintable() else "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


class MeterlakeError(Exception):
    """The base class; caught only in main.py, which prints the message and exits with `exit_code`."""

    exit_code = 1


class UsageError(MeterlakeError):
    """The command line is wrong."""

    exit_code = 2


class UnknownNameError(UsageError):
    """A word of the command line is none of those that there are: `what` is missing, such as "no feed"."""

    def __init__(self, what: str, word: str, *known: str) -> None:
        super().__init__(f"{what} {word!r}{did_you_mean(word, known)}: use {', '.join(known)}")


class ConfigurationError(MeterlakeError):
    """The configuration is wrong: `where` is the file or variable, `problem` says what is wrong and what to do."""

    exit_code = 2

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"configuration {where}: {problem}")


class EngineError(MeterlakeError):
    """The engine of the configuration cannot do what Spark does, or not exactly: `what` says what, in a few words."""

    exit_code = 2

    def __init__(self, what: str, instead: str = "METERLAKE_ENGINE=spark does it this once") -> None:
        super().__init__(f'not with engine = "sail": {what}; {instead}')


class MissingJavaError(MeterlakeError):
    """No Java virtual machine was found."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            f"no Java found ({detail}): Spark needs Java 17 or 21; install a JRE or JDK 17 and put it on PATH "
            "or set JAVA_HOME"
        )


class OldJavaError(MeterlakeError):
    """The Java virtual machine is older than Spark needs."""

    def __init__(self, found: str, path: str) -> None:
        super().__init__(f"Java {found} at {path} is too old: Spark needs 17 or 21; set JAVA_HOME to one of these")


class MissingJarError(MeterlakeError):
    """A JAR that the session needs is not in the folder."""

    def __init__(self, coordinate: str, folder: str) -> None:
        super().__init__(
            f"missing JAR {coordinate} in {folder}: run `make setup` (or `python -m pipeline.fetch_jars`), "
            "or set METERLAKE_JARS to the folder that holds it"
        )


class MissingPackageError(MeterlakeError):
    """A package of an extra, or without one of Meterlake itself, is not installed."""

    def __init__(self, package: str, extra: str | None = None) -> None:
        needed = f"the extra, pip install 'meterlake[{extra}]'" if extra else "all requirements, pip install meterlake"
        super().__init__(f"missing package {package}: install {needed}")


class JarDownloadError(MeterlakeError):
    """The resolver could not fetch the JARs, usually because there is no network."""

    def __init__(self, files: list[str], folder: str, coordinates: list[str]) -> None:
        super().__init__(
            f"could not fetch {', '.join(coordinates)} (no network?): run again with a network, "
            f"or put {', '.join(files)} into {folder}"
        )


class JarChecksumError(MeterlakeError):
    """A JAR is not the pinned one."""

    def __init__(self, file: str, expected: str, got: str) -> None:
        super().__init__(f"{file} has SHA-256 {got}, expected {expected}: it was removed; run `make setup` again")


class FileError(MeterlakeError):
    """A file that a person named cannot be used."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")


class LandingFolderError(MeterlakeError):
    """A feed's landing folder is missing or cannot be listed; the other feeds load."""

    def __init__(self, feed: str, path: str, problem: str) -> None:
        super().__init__(f"feed {feed!r}: landing folder {path} {problem}")


class ReferenceDatabaseError(MeterlakeError):
    """The reference database cannot be read; the readings are loaded, the product tables stay as they were."""

    def __init__(self, url: str, problem: str) -> None:
        super().__init__(f"reference database {url}: {problem}; product tables stay as they were")


class EndpointError(MeterlakeError):
    """A feed's endpoint gave no delivery; `url` comes without its query, which may hold a secret."""

    def __init__(self, feed: str, url: str, problem: str, advice: str) -> None:
        super().__init__(f"feed {feed!r}: {url} {problem}; {advice}")


class AcknowledgementError(MeterlakeError):
    """Responses for a feed's senders could not be written; everything else is done."""

    def __init__(self, feed: str, path: str, problem: str, count: int) -> None:
        super().__init__(
            f"feed {feed!r}: response {path!r} cannot be written ({problem}), {count} in all; "
            "correct acknowledge, free space or grant permission there: the next run writes what is missing"
        )


class ArchiveError(MeterlakeError):
    """Files could not be moved to a feed's archive; everything else is done."""

    def __init__(self, feed: str, path: str, problem: str) -> None:
        super().__init__(f"feed {feed!r}: archive {path!r}: {problem}; a later run moves what is left")


class SeveralError(MeterlakeError):
    """Several faults, none of which stopped the rest of the run."""

    def __init__(self, problems: list[MeterlakeError]) -> None:
        super().__init__(f"{len(problems)} faults: " + " | ".join(str(problem) for problem in problems))


class VerificationError(MeterlakeError):
    """Silver or gold is not what bronze says."""

    def __init__(self, where: str, differences: int, first: str) -> None:
        super().__init__(f"lake {where} is not what its bronze says: {differences} differences; the first: {first}")


class UnfinishedLakeError(VerificationError):
    """Silver or gold is not what bronze says, because a run was stopped before they followed the log."""

    def __init__(self, where: str, table: str, done: int, newest: int) -> None:
        MeterlakeError.__init__(
            self,
            f"lake {where}: {table} is complete to batch {done}, the log to batch {newest}: a run ended before the "
            "layers had followed. Run `main.py run`, then verify again",
        )


class ReplayError(MeterlakeError):
    """A delivery cannot be decided again."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path} {problem}")


class VersionGoneError(MeterlakeError):
    """An earlier version of a table can no longer be read."""

    def __init__(self, where: str, version: int, problem: str) -> None:
        super().__init__(f"version {version} of {where} is no longer there: {problem}")


class BusyLakeError(MeterlakeError):
    """Another run is at work on the lake."""

    exit_code = 4

    def __init__(self, where: str, holder: str, *, can_wait: bool = True) -> None:
        wait = ", or let this run wait: --wait SECONDS" if can_wait else ""
        super().__init__(f"lake {where}: {holder} is at work on it; run again when it is done{wait}")


class OvertakenError(MeterlakeError):
    """Another run claimed the lake while this one was at work or stalled; from then on only that run may write."""

    exit_code = 4

    def __init__(self, where: str) -> None:
        super().__init__(
            f"lake {where}: another run claimed it meanwhile, so this one stops here and writes nothing more; "
            "nothing is lost: run again when that one is done"
        )


class DamagedLakeError(MeterlakeError):
    """The lake is not whole: writing could lose or invent readings. Nothing was written."""

    def __init__(self, where: str, table: str, problem: str, section: str) -> None:
        super().__init__(f"lake {where}: {table} {problem}; nothing was written: docs/runbook.md, {section!r}")


class LakeError(MeterlakeError):
    """The lake cannot be read or written."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"lake {where}: {problem}")


class MissingRightError(LakeError):
    """The catalog refuses to create or change something for lack of a right."""

    def __init__(self, where: str, what: str, right: str) -> None:
        super().__init__(
            where, f"{what}: grant {right} to the user that runs this, or let an administrator do it, then run again"
        )


LOST_FILE_SECTION = "'A data file is lost' in docs/runbook.md"


class SparkServerError(MeterlakeError):
    """The server of Spark Connect cannot be used: `server` is its host and port, never the token of its URL."""

    def __init__(self, server: str, problem: str) -> None:
        super().__init__(f"Spark server {server}: {problem}")


class LostFileError(MeterlakeError):
    """A data file of a table is missing."""

    def __init__(self, table: str, file: str, count: int = 1) -> None:
        more = f", and {count - 1} more of its files" if count > 1 else ""
        super().__init__(f"table {table}: its data file {file} is not there{more}: see {LOST_FILE_SECTION}")


class MiscountedRowsError(MeterlakeError):
    """Spark read another number of rows than the file holds; nothing of the batch counts."""

    def __init__(self, feed: str, path: str, held: int, read: int) -> None:
        super().__init__(
            f"feed {feed!r}: {path} holds {held:,} rows, but Spark read {read:,} into bronze: nothing of this batch "
            "counts; run again, and if it persists keep the file and report it to the owner of the program"
        )


class WorkersEndError(MeterlakeError):
    """Processes of `serve` ended as soon as they had begun."""

    def __init__(self, exit_code: int | None) -> None:
        super().__init__(
            f"workers end as soon as they begin (exit code {exit_code}): the lines above say why, or `serve` without "
            "--workers"
        )


class VersionsNeedSparkError(MeterlakeError):
    """All versions of this format's readings can only be read with Spark."""

    def __init__(self, feed: str, feed_format: str) -> None:
        super().__init__(
            f"feed {feed!r}: versions in the format {feed_format} can only be read with Spark: "
            "main.py sql, table reading_history"
        )

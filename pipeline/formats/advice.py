"""What a person can do about a refused file, a sentence for each reason code; the runbook says more."""

from __future__ import annotations

OTHERWISE = "ask the sender for the file again"
OF_CODE = {
    "EMPTY_FILE": OTHERWISE,
    "BAD_FILE_NAME": "rename the file, or set the feed's `ending`",
    "NOT_UTF8": "set `encoding` in [feeds.csv]; of another format ask the sender for UTF-8",
    "HEADER_MISSING": "the file's beginning is lost or another format's: `main.py guess FILE` says which",
    "HEADER_INVALID": OTHERWISE,
    "TRAILER_MISSING": "the file was probably cut off: ask the sender for the whole",
    "TRAILER_NOT_LAST": OTHERWISE,
    "UNKNOWN_RECORD": OTHERWISE,
    "WRONG_COMPANY": "set the feed's `company`, or send the file to the right feed",
    "WRONG_ENVIRONMENT": 'test files are for `environment = "development"`',
    "NAME_MISMATCH": "give the file the name that its header says",
    "MALFORMED_JSON": "the file is cut off or damaged: ask the sender for the whole",
    "MALFORMED_CSV": "a quote stays open: look at the line, or ask the sender for the whole file",
    "MALFORMED_XML": "the file is cut off or damaged: ask the sender for the whole",
    "WRONG_SHAPE": "the file is of another format or feed: `main.py guess FILE` says which",
    "COLUMNS_MISSING": "correct the feed's column names, `delimiter` or `skip_lines`: `main.py guess FILE` reads them",
    "UNREADABLE": "copy the file again, or have it sent in parts",
    "CHANGED_AFTER_LOADING": "a loaded name is never loaded again: ask the sender for another name",
}

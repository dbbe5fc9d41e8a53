"""Reason codes stand in the contract's order (section 3)."""

from __future__ import annotations

from pipeline.formats import row_rules


def test_the_codes_of_files_are_those_of_the_contract_in_its_order():
    assert " ".join(row_rules.FILE_CODES) == (
        "EMPTY_FILE BAD_FILE_NAME NOT_UTF8 HEADER_MISSING HEADER_INVALID TRAILER_MISSING TRAILER_NOT_LAST "
        "UNKNOWN_RECORD WRONG_COMPANY WRONG_ENVIRONMENT NAME_MISMATCH MALFORMED_JSON MALFORMED_CSV MALFORMED_XML "
        "WRONG_SHAPE COLUMNS_MISSING UNREADABLE CHANGED_AFTER_LOADING"
    )


def test_the_codes_of_rows_are_those_of_the_contract_in_its_order():
    assert " ".join(row_rules.ROW_CODES) == (
        "FIELD_COUNT METER_ID_MISSING METER_ID_INVALID DIRECTION_UNKNOWN INTERVAL_START_INVALID LOCAL_TIME_NONEXISTENT "
        "INTERVAL_OUT_OF_RANGE OFF_GRID "
        "CONSUMPTION_INVALID CONSUMPTION_NEGATIVE CONSUMPTION_IMPLAUSIBLE ARRAY_LENGTH_INVALID NONEXISTENT_POSITION REFERENCE_ROW_INVALID"
    )

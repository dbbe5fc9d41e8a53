"""Hostile texts and changes to bytes, for the generators of all formats."""

from __future__ import annotations

NUMBERS = [
    *("", " ", "-1", "-0.0", "-0.0000004", "-0.0000005", "-1e-9", "0", "00", "007", "+5", ".5", "5.", ".", "-", "+", "- 1"),
    *("1e2", "1E+2", "1e-7", "5e-7", "49e-8", "1e11", "1e12", "1e30", "-1e30", "1e999", "1e1000", "1e-999", "1e-1000"),
    *("1e2147483647", "1e-2147483648", "1e99999999999", "1e+0002", "1e0000000002", "0e37", "0e38", "0e-400", "e5", "1e", "1e+"),
    *("999999999999.999999", "999999999999.9999994", "999999999999.9999995", "1000000000000", "0.0000005", "0.00000049"),
    *("0.1234565", "0.12345649999999999999999999999999999", "1" * 13, "9" * 18, "9" * 38, "1" * 999, "1" * 1001),
    *("0" * 990 + "1.5", "0." + "0" * 990 + "1", "0." + "9" * 990, "0." + "0" * 1200 + "1", "1.0" + "0" * 40),
    *("NaN", "nan", "Infinity", "-Infinity", "inf", "null", "true", "1d", "1f", "1L", "0x10", "1_000", "1 000", "1,5"),
    *("1.2.3", "1e2e3", "--1", "+-1", "1-", "１２", "٣", "1٣", "٣.٥", "५", "½", "²", "一", "−1", "1\u00a0", "\u20031", "1\u200b"),
    *("\ufeff1", "1\x00", "\x011", "\x0b1\x0c", "1\x1f", "1\x7f", "1\r", "\t1\t", "1e2\x00", "1\x00e2", "1\u2028", "12\x85"),
]  # fmt: skip
TEXTS = [
    *("", " ", "\t", '"', '""', "'", "a", "a,b", "\\", "é", "电", "\U0001f600", "\ufeff", "\u2028", "\x00", "\x0b", "\x85"),
    *("NULL", "None", "\x7f", "1\\n2", "1;2", "<b>", "${x}", "%s", "٣٣٣", "x" * 3000, "1" * 60, "0", "-5", "1.0", "1e5"),
]  # fmt: skip
BYTES = b'\x00\x09\x0a\x0d\x20",:-.0159ENe[]{}\\\x7f\x80\xc3\xe9\xed\xa0\xff\xfe\xef\xbb\xbf'


def spoilt_bytes(dice, content):
    """The content with a few bytes flipped, removed or inserted, or truncated."""
    content = bytearray(content)
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        at, change = dice.randrange(len(content) + 1), dice.randrange(8)
        if change < 3:
            content[at : at + 1] = bytes((dice.choice(BYTES),))
        elif change == 3:
            content[at : at + 1] = bytes((dice.randrange(256),))
        elif change == 4:
            content[at:at] = bytes((dice.choice(BYTES),))
        elif change == 5:
            del content[at : at + dice.choice((1, 1, 2, 5, 20, 200))]
        elif change == 6:
            content[at:at] = content[at : at + dice.choice((1, 2, 5, 50))]
        else:
            del content[at:]
    return bytes(content)


def otherwise_encoded(dice, content):
    """The content in another encoding than UTF-8, or with bytes that UTF-8 never contains."""
    text = content.decode("utf-8", "replace")
    ways = (
        lambda: text.encode("utf-16"),
        lambda: text.encode("utf-16-le"),
        lambda: text.encode("utf-32"),
        lambda: text.replace("1", "é", 1).encode("latin-1", "replace"),
        lambda: content + b"\xed\xa0\x80",
        lambda: content.replace(b"0", b"\xc0\xb0", 1),
        lambda: content[: len(content) // 2] + b"\xff" + content[len(content) // 2 :],
    )
    return dice.choice(ways)()

"""What senders, disks and lines make of SMRT files: odd fields, records, lines and names."""

from __future__ import annotations

from tests.fuzz.hostile import NUMBERS, TEXTS

BAD_DAYS = [
    "20190229",
    "20191301",
    "20190400",
    "20190432",
    "00000101",
    "2019-10-14",
    "190101",
    "201901011",
    "２０１９1014",
    "٢٠١٩١٠١٤",
]
BAD_TIMES = [
    "2400",
    "2401",
    "1060",
    "1130",
    "1101",
    "0001",
    "2359",
    "900",
    "00000",
    "11:00",
    "-100",
    "+100",
    "1e03",
    "١١٠٠",
    "102939",
]
NAMES = [
    "",
    ".SMRT",
    "PN.SMRT",
    "readme.txt",
    "PN٠٠٠٠٠١.SMRT",
    "_N000001.SMRT",
    "PN000001.SMRT\n",
    "DV000001.SMRT",
    "PN000001.SMRT",
]
RECORDS = ["HEADR", "CONSU", "TRAIL"]
ODD_IDS = [
    "",
    "headr",
    "consu",
    "CONSUM",
    "CONSU X",
    "XCONSU",
    "TRAILS",
    "TRAIL ",
    "HEADER",
    "CONSU_",
    "CONSUé",
    "C",
    "CONSU\r",
]
ODD_LINES = [
    *('"', ",", ",,,,", '"HEADR', '"CONSU', '"TRAIL', 'CONSU"', 'TRAIL"', "TRAIL,", "TRAIL,2", "CONSU", "HEADR", "x", "\x00", "\x1a"),
    *('"CONSU,"1","20191014","1100",1.0', "\ufeff", " \r ", "\r", "\r\r", "\x0b", "\u2028", "\u00a0", "--", '"TRAIL"x', 'CONSU,"1"x'),
    *('"CON""SU",1,20191014,1100,1', "CONSUM,1,20191014,1100,1", 'CONSU_"', 'CONSUé"', 'CONSU;"1"', "TRAIL TRAIL", '""TRAIL""'),
]  # fmt: skip


def spoil_row(dice, record):
    """One field, or the number of fields, made odd."""
    change = dice.randrange(12)
    if change < 4:
        record[-1] = dice.choice(NUMBERS)
    elif change < 6 and len(record) > 2:
        record[2] = dice.choice((*BAD_DAYS, *TEXTS))
    elif change < 8 and len(record) > 3:
        record[3] = dice.choice((*BAD_TIMES, *TEXTS))
    elif change == 8:
        record[1:2] = [dice.choice((*TEXTS, *NUMBERS))]
    elif change == 9:
        record.insert(dice.randrange(1, len(record) + 1), dice.choice(("", "1", *NUMBERS)))
    elif change == 10 and len(record) > 1:
        del record[dice.randrange(1, len(record))]
    else:
        record[1:2] = [dice.choice(("", " ", "\t"))]


def spoil_envelope(dice, records):
    """A field of the header made odd, or the id of some record."""
    header, change = records[0], dice.randrange(9)
    if change == 0:
        header[1] = dice.choice(("", "SMRX", "smrt", " SMRT", *TEXTS))
    elif change <= 2:
        header[2] = dice.choice(("GAS", "gaz", "", " GAZ", "GAZ2", "ГАЗ"))
    elif change == 3:
        header[3] = dice.choice(BAD_DAYS)
    elif change == 4:
        header[4] = dice.choice(("240000", "102960", "102961", "1029", "126000", "10:29:39", "", "1029390", "１０2939"))
    elif change <= 6:
        odd = (
            "PN00001",
            "PN0000011",
            "PNx00001",
            "pn000001",
            "XX000001",
            "",
            "PN000001 ",
            "PN٠٠٠٠٠١",
            "DV000001",
            "PN000001",
        )
        header[5] = dice.choice(odd)
    elif change == 7:
        dice.choice((lambda: header.append(""), header.pop, lambda: header.insert(3, "x")))()
    else:
        dice.choice(records)[0] = dice.choice(ODD_IDS + RECORDS)


def spoil_lines(dice, lines):
    """Lines taken out, put in, repeated, swapped, joined, or text after the trailer."""
    for _ in range(dice.choice((1, 1, 2))):
        at, change = dice.randrange(len(lines) + 1), dice.randrange(9)
        if change == 0:
            del lines[at : at + 1]
        elif change == 1:
            lines.insert(at, dice.choice(ODD_LINES))
        elif change == 2:
            lines.insert(dice.randrange(len(lines) + 1), lines[min(at, len(lines) - 1)] if lines else "")
        elif change == 3 and lines:
            lines.insert(at, lines.pop(dice.randrange(len(lines))))
        elif change == 4:
            lines[at : at + 2] = ["".join(lines[at : at + 2])]
        elif change == 5:
            lines.append(dice.choice((*ODD_LINES, *lines)))
        elif change == 6:
            lines.extend(lines[: dice.choice((1, 3, 99))])
        elif change == 7:
            del lines[at:]
        else:
            lines.insert(at, "\n" + dice.choice(("", " ", "\t\t", " \t")))


def odd_name(dice, name):
    at = dice.randrange(len(name))
    odd = (
        name.lower(),
        name + " ",
        " " + name,
        name + ".gz",
        name[:-1],
        name[1:],
        name[:at] + dice.choice("0x9 P٣") + name[at + 1 :],
    )
    other = ("DV" if name[0] == "P" else "PN") + name[2:]
    return dice.choice((*odd, *odd, other, other, dice.choice(NAMES)))

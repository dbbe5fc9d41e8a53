"""Small files in the shapes of real suppliers, written from what is public about them, with the energy that they hold.

Headers, order, marks and dialect are the suppliers'; ids and values are made up. Two days each, unless a shape says
otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST = datetime(2023, 10, 30)  # noqa: DTZ001 - local time


@dataclass(frozen=True)
class SupplierFile:
    """A file, what its guessed entry must say, and its energy in kWh by direction (exact)."""

    name: str
    content: bytes
    feed: dict[str, Any]
    csv: dict[str, Any]
    kwh: dict[str, Decimal]
    # Keys of which the entry must say that a person should look.
    unsure: set[str] = field(default_factory=set)


def value(n: int) -> Decimal:
    return Decimal((n * 37) % 50 + 1) / 1000


def total(count: int, *, first: int = 0, times: Decimal | int = 1) -> Decimal:
    return sum((value(n) for n in range(first, first + count)), Decimal()) * times


def starts(minutes: int, days: int = 2, first: datetime = FIRST) -> Iterator[tuple[int, datetime]]:
    for n in range(days * 24 * 60 // minutes):
        yield n, first + n * timedelta(minutes=minutes)


def comma(number: Decimal) -> str:
    return str(number).replace(".", ",")


def lines(*rows: str, end: str = "\n") -> str:
    return "".join(row + end for row in rows)


HALF, QUARTER, HOUR = timedelta(minutes=30), timedelta(minutes=15), timedelta(hours=1)


def esb(unit: str) -> SupplierFile:
    """ESB Networks (Ireland), harmonised downloadable file: newest first, the label is the end."""
    header = "MPRN,Meter Serial Number,Read Value,Read Type,Read Date and End Time"
    ways = (f"Active Import Interval ({unit})", f"Active Export Interval ({unit})")
    rows = [
        f"10012345678,000000000031234567,{value(n + 100 * k)},{way},{at + HALF:%d-%m-%Y %H:%M}"
        for k, way in enumerate(ways)
        for n, at in reversed(list(starts(30)))
    ]
    times = Decimal("0.5") if unit == "kW" else 1
    return SupplierFile(
        f"HDF_calc{unit}_10012345678_01-11-2023.csv",
        lines(header, *rows, end="\r\n").encode(),
        {"unit": unit, "interval_minutes": 30, "time_zone": "Europe/Dublin"},
        {
            "meter": "MPRN",
            "timestamp": "Read Date and End Time",
            "timestamp_format": "dd-MM-yyyy HH:mm",
            "value": "Read Value",
            "label": "end",
            "direction": {"column": "Read Type", "import": [ways[0]], "export": [ways[1]]},
        },
        {"import": total(96, times=times), "export": total(96, first=100, times=times)},
        {"time_zone"},
    )


def fluvius() -> SupplierFile:
    """Fluvius (Belgium): BOM, semicolons, decimal comma, an EAN that Excel should not round, four registers."""
    header = "Van (datum);Van (tijdstip);Tot (datum);Tot (tijdstip);EAN-code;Meter;Metertype;Register;Volume;Eenheid;Validatiestatus;Omschrijving"
    rows = []
    for n, at in starts(15):
        end, part = at + QUARTER, "Dag" if 7 <= at.hour < 22 else "Nacht"
        span = f"{at:%d-%m-%Y;%H:%M:%S};{end:%d-%m-%Y;%H:%M:%S}"
        meter = '="541448820012345678";1SAG1100000000;Digitale meter'
        rows.append(f"{span};{meter};Afname {part};{comma(value(n))};kWh;Gevalideerd;")
        rows.append(f"{span};{meter};Injectie {part};{comma(value(n + 7))};kWh;Gevalideerd;")
    return SupplierFile(
        "Verbruikshistoriek_elektriciteit_541448820012345678_kwartiertotalen.csv",
        b"\xef\xbb\xbf" + lines(header, *rows, end="\r\n").encode(),
        {"unit": "kWh", "interval_minutes": 15, "time_zone": "Europe/Brussels"},
        {
            "delimiter": ";",
            "decimal": ",",
            "meter": "EAN-code",
            "timestamp": ["Van (datum)", "Van (tijdstip)"],
            "timestamp_format": "dd-MM-yyyy HH:mm:ss",
            "value": "Volume",
            "label": "start",
            "direction": {
                "column": "Register",
                "import": ["Afname Dag", "Afname Nacht"],
                "export": ["Injectie Dag", "Injectie Nacht"],
            },
            "quality": "Validatiestatus",
        },
        {"import": total(192), "export": total(192, first=7)},
    )


def enedis() -> SupplierFile:
    """Enedis (France), load curve: two lines before the header, mean power in W, offsets, the label is the end."""
    about = "Identifiant PRM;Type de donnees;Date de debut;Date de fin;Grandeur physique;Grandeur metier;Etape metier;Unite;Pas en minutes"
    facts = "12345678901234;Courbe de charge;30/10/2023;01/11/2023;Puissance active;Consommation;Comptage Brut;W;"
    rows = [f"{at + HALF:%Y-%m-%dT%H:%M:%S}+01:00;{1000 * value(n):.0f}" for n, at in starts(30)]
    return SupplierFile(
        "Enedis_Conso_Heure_20231030-20231101_12345678901234.csv",
        lines(about, facts, "Horodate;Valeur", *rows, end="\r\n").encode(),
        {"unit": "W", "interval_minutes": 30, "time_zone": "Europe/Paris", "direction": "import"},
        {"delimiter": ";", "skip_lines": 2, "meter_id": "12345678901234", "timestamp": "Horodate", "value": "Valeur", "label": "end"},
        {"import": total(96, times=Decimal("0.5"))},
    )  # fmt: skip


def e_distribuzione() -> SupplierFile:
    """E-distribuzione (Italy), quarter-hour curve: a row a day, spans as names, decimal comma."""
    names = [f"{at:%H:%M}-{at + QUARTER:%H:%M}" for _, at in starts(15, 1)]
    rows = []
    for day in range(2):
        cells = [comma(value(96 * day + n)) for n in range(96)]
        rows.append(f"IT001E12345678;{FIRST + day * timedelta(days=1):%d/%m/%Y};" + ";".join(cells))
    return SupplierFile(
        "ExportData_Ottobre.csv",
        lines("POD;Giorno;" + ";".join(names), *rows, end="\r\n").encode(),
        {"unit": "kWh", "interval_minutes": 15, "time_zone": "Europe/Rome"},
        {"layout": "wide", "delimiter": ";", "decimal": ",", "meter": "POD", "timestamp": "Giorno", "timestamp_format": "dd/MM/yyyy", "label": "start"},
        {"import": total(192)},
        {"unit"},
    )  # fmt: skip


def octopus() -> SupplierFile:
    """Octopus Energy (Great Britain): a blank after each comma, start and end with offset, no meter."""
    rows = [
        f"{value(n)}, 12.3, {at:%Y-%m-%dT%H:%M:%S}+00:00, {at + HALF:%Y-%m-%dT%H:%M:%S}+00:00" for n, at in starts(30)
    ]
    return SupplierFile(
        "consumption.csv",
        lines("Consumption (kwh), Estimated Cost Inc. Tax (p), Start, End", *rows).encode(),
        {"unit": "kWh", "interval_minutes": 30},
        {"timestamp": "Start", "value": "Consumption (kwh)", "label": "start"},
        {"import": total(96)},
        {"meter_id"},
    )


def pge() -> SupplierFile:
    """PG&E (California): five lines before the header, the end is a minute short, money beside it."""
    about = (
        "Name,JANE DOE",
        'Address,"1 Main St, OAKLAND CA 94601"',
        "Account Number,1234567890",
        "Service,Service 1",
        "",
    )
    rows = [
        f"Electric usage,{at:%Y-%m-%d,%H:%M},{at + timedelta(minutes=59):%H:%M},{value(n)},$0.08,"
        for n, at in starts(60)
    ]
    return SupplierFile(
        "pge_electric_interval_data_Service 1_1_2023-10-30_to_2023-11-01.csv",
        lines(*about, "TYPE,DATE,START TIME,END TIME,USAGE (kWh),COST,NOTES", *rows).encode(),
        {"unit": "kWh", "interval_minutes": 60},
        {"skip_lines": 5, "meter_id": "1234567890", "timestamp": ["DATE", "START TIME"], "value": "USAGE (kWh)", "label": "start"},
        {"import": total(48)},
        {"time_zone", "meter_id"},
    )  # fmt: skip


def pge_solar() -> SupplierFile:
    """PG&E with solar panels: import and export side by side."""
    about = ("Name,JANE DOE", 'Address,"1 Main St"', "Account Number,1234567890", "Service,Service 1", "")
    rows = [
        f"Electric usage,{at:%Y-%m-%d,%H:%M},{at + timedelta(minutes=14):%H:%M},{value(n)},{value(n + 5)},$0.08,"
        for n, at in starts(15)
    ]
    return SupplierFile(
        "pge_electric_usage_interval_data.csv",
        lines(*about, "TYPE,DATE,START TIME,END TIME,IMPORT (kWh),EXPORT (kWh),COST,NOTES", *rows).encode(),
        {"unit": "kWh", "interval_minutes": 15},
        {"skip_lines": 5, "value": {"import": ["IMPORT (kWh)"], "export": ["EXPORT (kWh)"]}, "label": "start"},
        {"import": total(192), "export": total(192, first=5)},
    )


def uk_wide(*, ends: bool) -> SupplierFile:
    """A British collector's half-hourly file: a row a day, columns by the half hour's end (or start)."""
    shift = HALF if ends else timedelta()
    names = ["24:00" if at + shift == FIRST + timedelta(days=1) else f"{at + shift:%H:%M}" for _, at in starts(30, 1)]
    rows = [
        f"1200012345678,{FIRST + day * timedelta(days=1):%d/%m/%Y},kWh,"
        + ",".join(str(value(48 * day + n)) for n in range(48))
        for day in range(2)
    ]
    return SupplierFile(
        "HH_data.csv",
        lines("MPAN,Date,Units," + ",".join(names), *rows).encode(),
        {"unit": "kWh", "interval_minutes": 30, "time_zone": "Europe/London"},
        {"layout": "wide", "meter": "MPAN", "timestamp": "Date", "label": "end" if ends else "start"},
        {"import": total(96)},
    )


def uk_periods() -> SupplierFile:
    """A British half-hourly file by settlement period: import and export rows, a mark after each value."""
    names = ",".join(f"HH{n:02d},AE{n:02d}" for n in range(1, 49))
    rows = [
        f"1200012345678,{quantity},{FIRST + day * timedelta(days=1):%Y%m%d},"
        + ",".join(f"{value(48 * day + n + 9 * k)},A" for n in range(48))
        for k, quantity in enumerate(("AI", "AE"))
        for day in range(2)
    ]
    rows.append(f"1200012345678,RI,{FIRST:%Y%m%d}," + ",".join("0.5,A" for _ in range(48)))
    return SupplierFile(
        "hh.csv",
        lines("MPAN,Measurement Quantity,Settlement Date," + names, *rows).encode(),
        {"interval_minutes": 30, "time_zone": "Europe/London"},
        {
            "layout": "wide",
            "timestamp": "Settlement Date",
            "timestamp_format": "yyyyMMdd",
            "quality_beside": True,
            "direction": {"column": "Measurement Quantity", "import": ["AI"], "export": ["AE"], "ignore": ["RI"]},
        },
        {"import": total(96), "export": total(96, first=9)},
        {"unit"},
    )


def netz_noe() -> SupplierFile:
    """Netz Niederösterreich: Latin letters of Windows, day first, decimal comma, the label is the end."""
    rows = [f"{at + QUARTER:%d.%m.%Y %H:%M};{comma(value(n))};L1" for n, at in starts(15)]
    return SupplierFile(
        "Jahresverbrauch.csv",
        lines("Messzeitpunkt;Verbrauch (kWh);Qualität", *rows, end="\r\n").encode("cp1252"),
        {"unit": "kWh", "interval_minutes": 15, "direction": "import"},
        {"encoding": "cp1252", "delimiter": ";", "decimal": ",", "timestamp": "Messzeitpunkt", "timestamp_format": "dd.MM.yyyy HH:mm", "quality": "Qualität", "label": "end"},
        {"import": total(192)},
        {"time_zone", "meter_id"},
    )  # fmt: skip


def wiener_netze() -> SupplierFile:
    """Wiener Netze: the day, from and to in three columns."""
    rows = [f"{at:%d.%m.%Y};{at:%H:%M:%S};{at + QUARTER:%H:%M:%S};{comma(value(n))}" for n, at in starts(15)]
    return SupplierFile(
        "VIERTELSTUNDENWERTE-AT0010000000000000001000004392265.csv",
        b"\xef\xbb\xbf" + lines("Datum;Zeit von;Zeit bis;Verbrauch [kWh]", *rows, end="\r\n").encode(),
        {"unit": "kWh", "interval_minutes": 15},
        {"timestamp": ["Datum", "Zeit von"], "value": "Verbrauch [kWh]", "label": "start", "decimal": ","},
        {"import": total(192)},
        {"time_zone"},
    )


def datadis(*, numbered: bool) -> SupplierFile:
    """Datadis and the distributors of Spain: hours 01:00 to 24:00, or 1 to 24, which end there."""
    rows = [
        f"ES0031000000000000AB;{at:%d/%m/%Y};{at.hour + 1 if numbered else f'{at.hour + 1:02d}:00'};{comma(value(n))};R"
        for n, at in starts(60)
    ]
    form = "d/M/yyyy H" if numbered else "dd/MM/yyyy HH:mm"
    return SupplierFile(
        "consumo.csv",
        lines("CUPS;Fecha;Hora;Consumo_kWh;Metodo_obtencion", *rows).encode(),
        {"unit": "kWh", "interval_minutes": 60, "time_zone": "Europe/Madrid"},
        {"meter": "CUPS", "timestamp": ["Fecha", "Hora"], "timestamp_format": form, "label": "end", "quality": "Metodo_obtencion"},
        {"import": total(48)},
    )  # fmt: skip


def eloverblik() -> SupplierFile:
    """Eloverblik (Denmark): from and to with seconds, a unit column, decimal comma."""
    rows = [
        f"571313100000000001;{at:%d-%m-%Y %H:%M:%S};{at + HOUR:%d-%m-%Y %H:%M:%S};{comma(value(n))};KWH;Målt;Tidsserie"
        for n, at in starts(60)
    ]
    return SupplierFile(
        "MeterData.csv",
        b"\xef\xbb\xbf" + lines("MålepunktsID;Fra_dato;Til_dato;Mængde;Måleenhed;Kvalitet;Type", *rows).encode(),
        {"unit": "kWh", "interval_minutes": 60, "time_zone": "Europe/Copenhagen"},
        {"meter": "MålepunktsID", "timestamp": "Fra_dato", "value": "Mængde", "label": "start", "quality": "Kvalitet"},
        {"import": total(48)},
    )


def elhub() -> SupplierFile:
    """Elhub (Norway): from and to, consumption and production side by side."""
    rows = [
        f"{at:%d.%m.%Y %H:%M};{at + HOUR:%d.%m.%Y %H:%M};{comma(value(n))};{comma(value(n + 3))};Målt"
        for n, at in starts(60)
    ]
    return SupplierFile(
        "meteringvalues.csv",
        lines("Fra;Til;KWH 60 Forbruk;KWH 60 Produksjon;Kvalitet", *rows).encode(),
        {"unit": "kWh", "interval_minutes": 60},
        {
            "timestamp": "Fra",
            "value": {"import": ["KWH 60 Forbruk"], "export": ["KWH 60 Produksjon"]},
            "label": "start",
        },
        {"import": total(48), "export": total(48, first=3)},
    )


def fingrid() -> SupplierFile:
    """Fingrid Datahub (Finland): instants in UTC, decimal comma, the resolution in a column."""
    rows = [
        f"643006966012345678;8716867000030;PT15M;kWh;BN01;{at - 2 * HOUR:%Y-%m-%dT%H:%M:%SZ};{comma(value(n))}000;OK"
        for n, at in starts(15)
    ]
    return SupplierFile(
        "consumption_fingrid.csv",
        b"\xef\xbb\xbf" + lines("Mittauspisteen tunnus;Tuotteen tyyppi;Resoluutio;Yksikkötyyppi;Lukeman tyyppi;Alkuaika;Määrä;Laatu", *rows).encode(),
        {"unit": "kWh", "interval_minutes": 15, "time_zone": "Europe/Helsinki"},
        {"meter": "Mittauspisteen tunnus", "timestamp": "Alkuaika", "value": "Määrä", "label": "start", "quality": "Laatu"},
        {"import": total(192)},
    )  # fmt: skip


def texas() -> SupplierFile:
    """Smart Meter Texas: month first, consumption and surplus generation in rows."""
    rows = [
        f"'10443720000000001,{at:%m/%d/%Y},{at:%m/%d/%Y} 08:00:00, {at:%H:%M}, {at + QUARTER:%H:%M},{value(n + 11 * k)},A,{way}"
        for k, way in enumerate(("Consumption", "Surplus Generation"))
        for n, at in starts(15)
    ]
    return SupplierFile(
        "IntervalData.csv",
        lines(
            "ESIID,USAGE_DATE,REVISION_DATE,USAGE_START_TIME,USAGE_END_TIME,USAGE_KWH,ESTIMATED_ACTUAL,CONSUMPTION_SURPLUSGENERATION",
            *rows,
        ).encode(),
        {"unit": "kWh", "interval_minutes": 15, "time_zone": "America/Chicago"},
        {
            "meter": "ESIID",
            "timestamp": ["USAGE_DATE", "USAGE_START_TIME"],
            "timestamp_format": "MM/dd/yyyy HH:mm",
            "value": "USAGE_KWH",
            "label": "start",
            "direction": {
                "column": "CONSUMPTION_SURPLUSGENERATION",
                "import": ["Consumption"],
                "export": ["Surplus Generation"],
            },
            "quality": "ESTIMATED_ACTUAL",
        },
        {"import": total(192), "export": total(192, first=11)},
    )


def agl() -> SupplierFile:
    """AGL (Australia): twelve-hour clock, a register reading beside the interval's energy."""
    rows = [
        f"1234567,000000000700123456,700123456,COMMS4D,700123456#E1,Usage,{_half(at)},{_half(at + HALF - timedelta(seconds=1))},{value(n)},0,A"
        for n, at in starts(30)
    ]
    return SupplierFile(
        "MyUsageData_01-11-2023.csv",
        lines("AccountNumber,NMI,DeviceNumber,DeviceType,RegisterCode,RateTypeDescription,StartDate,EndDate,ProfileReadValue,RegisterReadValue,QualityFlag", *rows).encode(),
        {"interval_minutes": 30},
        {"meter": "NMI", "timestamp": "StartDate", "timestamp_format": "d/M/yyyy h:mm:ss a", "value": "ProfileReadValue", "label": "start", "quality": "QualityFlag"},
        {"import": total(96)},
        {"unit", "time_zone"},
    )  # fmt: skip


def _half(at: datetime) -> str:
    return f"{at.day}/{at:%m/%Y} {at.hour % 12 or 12}:{at:%M:%S} {at:%p}"


def jemena() -> SupplierFile:
    """Jemena's portal (Australia): spans as names, consumption and generation rows, an estimated flag."""
    names = ",".join(f"{at:%H:%M} - {at + HALF:%H:%M}" for _, at in starts(30, 1))
    rows = [
        f"6001234567,1234567,{way},{FIRST + day * timedelta(days=1):%d/%m/%Y},No,"
        + ",".join(str(value(48 * day + n + 13 * k)) for n in range(48))
        for k, way in enumerate(("Consumption", "Generation"))
        for day in range(2)
    ]
    return SupplierFile(
        "meter_data.csv",
        lines("NMI,METER SERIAL NUMBER,CON/GEN,DATE,ESTIMATED?," + names, *rows).encode(),
        {"interval_minutes": 30},
        {"layout": "wide", "meter": "NMI", "label": "start", "direction": {"column": "CON/GEN", "import": ["Consumption"], "export": ["Generation"]}},
        {"import": total(96), "export": total(96, first=13)},
        {"unit", "time_zone"},
    )  # fmt: skip


def e_redes() -> SupplierFile:
    """E-REDES (Portugal): lines about the contract, mean power in kW, the label is the end."""
    about = ("Consumos", "CPE;PT0002000012345678AB", "Nome;JOANA", "", "")
    rows = [f"{at + QUARTER:%Y/%m/%d;%H:%M};{comma(value(n))}" for n, at in starts(15)]
    return SupplierFile(
        "Consumos_20231030_20231101.csv",
        lines(*about, "Data;Hora;Consumo registado, Ativa (kW)", *rows).encode(),
        {"unit": "kW", "interval_minutes": 15, "time_zone": "Europe/Lisbon"},
        {"skip_lines": 5, "meter_id": "PT0002000012345678AB", "timestamp": ["Data", "Hora"], "timestamp_format": "yyyy/MM/dd HH:mm", "label": "end"},
        {"import": total(192, times=Decimal("0.25"))},
    )  # fmt: skip


def n3rgy() -> SupplierFile:
    """n3rgy (Great Britain): the name says UTC, no meter."""
    rows = [f"{at:%Y-%m-%d %H:%M},{value(n)}" for n, at in starts(30)]
    return SupplierFile(
        "electricity_1.csv",
        lines("timestamp (UTC),energyConsumption (kWh)", *rows).encode(),
        {"unit": "kWh", "interval_minutes": 30, "time_zone": "UTC"},
        {"timestamp": "timestamp (UTC)", "value": "energyConsumption (kWh)", "label": "start"},
        {"import": total(96)},
        {"meter_id"},
    )


def low_carbon_london() -> SupplierFile:
    """Low Carbon London: `Null` for what is missing, fractions of a second that mean nothing."""
    rows = [f"MAC000002,Std,{at:%Y-%m-%d %H:%M:%S}.0000000,{'Null' if n == 50 else value(n)} " for n, at in starts(30)]
    return SupplierFile(
        "Power-Networks-LCL.csv",
        lines("LCLid,stdorToU,DateTime,KWH/hh (per half hour) ", *rows, end="\r\n").encode(),
        {"unit": "kWh", "interval_minutes": 30, "time_zone": "Europe/London"},
        {"meter": "LCLid", "timestamp": "DateTime", "value": "KWH/hh (per half hour)", "missing": ["", "-", "NULL", "N/A", "Null"]},
        {"import": total(96) - value(50)},
    )  # fmt: skip


def german_portal() -> SupplierFile:
    """A German metering portal: A+ and A- side by side, a separator line for Excel."""
    rows = [f"{at:%d.%m.%Y %H:%M};{comma(value(n))};{comma(value(n + 2))};W" for n, at in starts(15)]
    return SupplierFile(
        "Lastgang_DE0001112223334445556667778889990.csv",
        lines("sep=;", "Zeitstempel;Bezug A+ (kWh);Einspeisung A- (kWh);Status", *rows, end="\r\n").encode(),
        {"unit": "kWh", "interval_minutes": 15},
        {"delimiter": ";", "skip_lines": None, "timestamp": "Zeitstempel", "value": {"import": ["Bezug A+ (kWh)"], "export": ["Einspeisung A- (kWh)"]}, "quality": "Status"},
        {"import": total(192), "export": total(192, first=2)},
        {"time_zone"},
    )  # fmt: skip


def excel_export() -> SupplierFile:
    """What Excel saves as "Unicode text": UTF-16, tabs."""
    rows = [f"Z-1\t{at:%d.%m.%Y %H:%M}\t{comma(value(n))}" for n, at in starts(15)]
    return SupplierFile(
        "Zähler.txt",
        lines("Zählernummer\tZeitpunkt Beginn\tWirkarbeit [kWh]", *rows, end="\r\n").encode("utf-16"),
        {"unit": "kWh", "interval_minutes": 15, "ending": ".txt"},
        {"delimiter": "\t", "meter": "Zählernummer", "timestamp": "Zeitpunkt Beginn", "decimal": ","},
        {"import": total(192)},
    )


def daily() -> SupplierFile:
    """Daily totals of several meters."""
    rows = [f"1001234567{meter},{at:%d/%m/%Y},{value(n + meter)}" for meter in range(3) for n, at in starts(1440, 20)]
    return SupplierFile(
        "daily.csv",
        lines("MPRN,Date,kWh", *rows).encode(),
        {"unit": "kWh", "interval_minutes": 1440, "time_zone": "Europe/Dublin"},
        {"meter": "MPRN", "timestamp": "Date", "timestamp_format": "dd/MM/yyyy", "value": "kWh", "label": "start"},
        {"import": sum((total(20, first=meter) for meter in range(3)), Decimal())},
    )


def ausgrid() -> SupplierFile:
    """Ausgrid's solar homes: half hours by their end without a leading zero, midnight last; gross generation."""
    names = ",".join(f"{(at + HALF).hour}:{at + HALF:%M}" for _, at in starts(30, 1))
    rows = [
        f"1,3.78,2076,{kind},{FIRST + day * timedelta(days=1):%d/%m/%Y},"
        + ",".join(str(value(48 * day + n)) for n in range(48))
        for day in range(2)
        for kind in ("GC", "GG")
    ]
    return SupplierFile(
        "solar_home.csv",
        lines("Customer,Generator Capacity,Postcode,Consumption Category,date," + names, *rows).encode(),
        {"interval_minutes": 30},
        {"layout": "wide", "meter": "Customer", "timestamp": "date", "label": "end", "direction": {"column": "Consumption Category", "import": ["GC"], "ignore": ["GG"]}},
        {"import": total(96)},
        {"direction", "unit", "time_zone"},
    )  # fmt: skip


def no_header() -> SupplierFile:
    """A data logger: no header."""
    rows = [f"A{meter};{at:%Y-%m-%d %H:%M};{comma(value(n))}" for meter in (1, 2) for n, at in starts(15)]
    return SupplierFile(
        "logger.csv",
        lines(*rows).encode(),
        {"interval_minutes": 15},
        {"header": False, "meter": "c1", "timestamp": "c2", "value": "c3", "label": "start"},
        {"import": total(192, times=2)},
        {"header", "meter", "unit", "time_zone"},
    )


FILES = {
    "esb_kw": esb("kW"),
    "esb_kwh": esb("kWh"),
    "fluvius": fluvius(),
    "enedis": enedis(),
    "e_distribuzione": e_distribuzione(),
    "octopus": octopus(),
    "pge": pge(),
    "pge_solar": pge_solar(),
    "uk_wide_ends": uk_wide(ends=True),
    "uk_wide_starts": uk_wide(ends=False),
    "uk_periods": uk_periods(),
    "netz_noe": netz_noe(),
    "wiener_netze": wiener_netze(),
    "datadis": datadis(numbered=False),
    "datadis_numbered": datadis(numbered=True),
    "eloverblik": eloverblik(),
    "elhub": elhub(),
    "fingrid": fingrid(),
    "texas": texas(),
    "agl": agl(),
    "jemena": jemena(),
    "e_redes": e_redes(),
    "n3rgy": n3rgy(),
    "low_carbon_london": low_carbon_london(),
    "german_portal": german_portal(),
    "excel_export": excel_export(),
    "daily": daily(),
    "ausgrid": ausgrid(),
    "no_header": no_header(),
}

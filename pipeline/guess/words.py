"""The words by which suppliers name meters, times, energy and directions, in English and the usual European languages.

A phrase matches whole words of a name in plain letters; `*` stands for the rest of a word.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Literal

Side = Literal["start", "end"]

_LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "œ": "oe"})
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")
_UNIT = re.compile(r"(?<![A-Za-z])(kwh|mwh|wh|kw)(?![A-Za-z])|(KWH|KWh|kWh|MWh)\b|[\[(](w)[\])]|\A(w)\Z", re.IGNORECASE)
_SPELLED = re.compile(r"\b(kilo|mega)?watt[ -]?hours?\b")
# The parts of a day that a supplier has a tariff for; their energy adds up.
TARIFF = "normaal|dal|hoog|laag|tarief|ht|nt|hoch|nieder|hochtarif|niedertarif|tag|nacht|dag|peak|off|offpeak|day|night"
TARIFF += "|hp|hc|punta|llano|valle|cheia|ponta|vazio|t1|t2|t3|f1|f2|f3|p1|p2|p3|p4|p5|p6|1|2|3|tariff|rate|high|low"
UNITS = {"kwh": "kWh", "mwh": "MWh", "wh": "Wh", "kw": "kW", "w": "W"}

# The best first: a meter point names a supply, a serial number only the device that hangs there now.
METER = (
    "mpan*|mprn|mpxn|nmi|cups|ean|ean code*|gsrn|esiid|esi id|icp|codice pod|pod|prm|pdl|identifiant prm|cpe|ppe|lclid",
    "malepunkt*|malepunktsid|mittauspiste*|mittauspisteen tunnus|zahlpunkt*|marktlokation*|messlokation*|malo*|melo*",
    "anlaggningsid|anlaggnings id|messpunkt*|point de livraison|metering point*|meter point*|meterpoint*|supply point",
    "meter|meter id|meterid|meter number|meter no|meter nr|meternummer|zahler*|compteur|contador|contatore",
    "meter serial*|serial number|msn|device*|device id|meter ref*|id|muid|device number|service point|usage point",
    "customer*|account number|client*|site*|household|house",
)
DAY = "date|datum|fecha|data|giorno|jour|day|dag|dato|paivamaara|pvm|dzien|settlement date|reading date|usage date"
TIME = (
    "time|uhrzeit|zeit|hora|ora|heure|hour|hour ending|he|hour of day|tid|tijd|tijdstip|klockslag|godzina|period"
    "|periodo|settlement period"
)
START = "start*|from|von|ab|van|fra|fran|begin*|desde|inizio|debut|od|alkuaika|alku|inicio|dalle"
END = "end|ending|end time|enddate|to|bis|tot|til|till|fin|fine|do|hasta|loppu*|ende|alle|fino|ate"
OTHER_TIME = "revision*|created*|updated*|received*|bill*|extract*|import date|upload*|export date"
PERIOD = "settlement period|trading period|period|interval|interval number|sp|tp|halfhour|half hour|periodo|hh"

VALUE = (
    "consumption|usage|energy|energyconsumption|volume|read value|profile read value|value|verbrauch*|verbruik*"
    "|consumo*|conso|consommation|bezug*|afname|forbruk*|forbrug*|forbrukning|kulutus|zuzycie|maengde|maara|energia|energie"
    "|wirkarbeit|leistung|puissance|potencia|potenza|prelievo|wert|messwert|valeur|valor|valore|quantity|delivered"
    "|received|import|export|reading|kwh|demand|load|lastgang|generation|production|consumptionkwh|netzbezug"
    "|inflow|outflow|pobran*|oddan*|wartosc"
)
IN = (
    "import*|bezug*|afname|delivered|soutirage|consumption*|consumo*|consommation|prelievo|prelevata|forbruk*|forbrug*"
    "|verbruik*|verbrauch*|usage|aplus|kulutus|uttag|con|consume|general*|grid import|netzbezug|levering|e1|offpeak"
    "|inflow|pobor|pobran*"
)
OUT = (
    "export*|einspeis*|injectie|injection|generation*|teruglever*|returned|surplus*|excedente*|vertido|immissione|immessa"
    "|inmatning|produktion*|produksjon|aminus|feed in|feedin|solar|gen|rucklieferung|lieferung|received|excess|b1"
    "|autoproduction|production|vyroba|dodavka|outflow|oddan*"
)
REACTIVE = "ri|re|reactive|reaktiv*|blind*|kvarh|kvar|varh|capacitive|inductive|voltage|power factor|q1|q2|q3|q4|gas|m3"
NO_ENERGY = (
    "cost*|price*|tarif*|kosten|preis*|charge*|prix|coste|precio|amount|tax|temperature|co2|degree*|register read value"
    "|latitude|longitude|postcode|zip|capacity|period|index|count"
)
DIRECTION = (
    "read type|register*|type|richtung|direction|flow*|measurement quantity|kind|con gen|consumption surplusgeneration"
    "|consumption generation|rate type*|tuotteen tyyppi|mode|grandeur metier|channel*|suffix|energierichtung|category"
    "|consumption category|obis*|meter type|retning|register code"
)
UNIT = "unit*|unit of measure*|uom|eenheid|einheit|unite|maleenhed|unita|unidad|yksikko*|enhet|jednostka|energieeinheit"
QUALITY = (
    "quality*|kvalitet|laatu|status|qualitat|estimated*|estimated actual|validatiestatus|metodo obtencion|quality flag"
    "|nature|read quality|kwaliteit|flag|actual estimated|row quality|qualite|calidad|calidad dato|ae flag|statuswert"
    "|real estimado|estimated usage|estimated read*|electricity status|reading status"
)
COMMODITY = "type|fuel*|commodity|service type|utility|energietrager|energy type|sparte|energiesoort|metertype"
OTHER_FUEL = "gas*|gaz|water|wasser*|eau|agua|acqua|vand|heat*|warme|fernwarme|warmte|chaleur|varme|steam|oil"
ELECTRIC = "electric*|strom|elektri*|electricite|electricidad|elec|power|energia elettrica|stroom|el"


# Codes that stand alone as a row's direction: NEM12's and the British ones, Ausgrid's.
CODES = {"ai": "import", "e1": "import", "con": "import", "gc": "import", "cl": "import", "imp": "import"}
CODES |= {"ae": "export", "b1": "export", "gen": "export", "exp": "export"}
# Words that mean a direction wherever they stand; others (usage) may as well be a kind of row.
PLAINLY_IN = "import*|afname|delivered|soutirage|prelievo|prelevata|bezug*|aplus"


_OPPOSITES = {"Import": "Export", "import": "export", "IMPORT": "EXPORT", "Afname": "Injectie", "A+": "A-"}
_OPPOSITES |= {there: here for here, there in _OPPOSITES.items()}


def opposite(value: str) -> str | None:
    """The same words for the other direction, where one of them names a direction.

    >>> opposite("Active Import Interval (kW)"), opposite("Usage")
    ('Active Export Interval (kW)', None)
    """
    return next((value.replace(here, there) for here, there in _OPPOSITES.items() if here in value), None)


def plain(name: str) -> str:
    """A name in lower-case ASCII words: `A+ (kWh)` is `aplus kwh`.

    >>> plain("Qualität der Messung"), plain("MeterSerialNumber"), plain("Bezug A+")
    ('qualitat der messung', 'meter serial number', 'bezug aplus')
    """
    signs = re.sub(
        r"\b([Aa])([+-])(?![A-Za-z])", lambda found: found[1] + ("plus" if found[2] == "+" else "minus"), name
    )
    spaced = _CAMEL.sub(" ", signs).lower().translate(_LETTERS)
    letters = "".join(each for each in unicodedata.normalize("NFKD", spaced) if not unicodedata.combining(each))
    return " ".join(re.findall(r"[a-z0-9]+", letters))


@cache
def _pattern(phrases: str) -> re.Pattern[str]:
    return re.compile(r"\b(?:" + phrases.replace("*", r"\w*") + r")\b")


def says(name: str, phrases: str) -> bool:
    """Whether a name holds one of the phrases."""
    return _pattern(phrases).search(plain(name)) is not None


def is_named(name: str, phrases: str) -> bool:
    """Whether a name is one of the phrases, units and what stands in brackets aside."""
    bare = plain(re.sub(r"[\[(].*?[\])]", " ", _UNIT.sub(" ", name)))
    return _pattern(phrases).fullmatch(bare) is not None


def is_id(name: str, phrases: str) -> bool:
    """Whether a name is one of the phrases, with or without a last word for an id.

    >>> is_id("EAN_ID", "ean"), is_id("EAN", "ean"), is_id("EAN price", "ean")
    (True, True, False)
    """
    return is_named(name, phrases) or is_named(
        re.sub(r"[ _-]*\b(?:id|code|number|nummer|no|nr)\Z", "", plain(name)), phrases
    )


def unit_of(name: str) -> str | None:
    """The unit in a name, as the configuration writes it.

    >>> unit_of("Active Import Interval (kW)"), unit_of("consumptionKWh"), unit_of("watt_hours"), unit_of("Week")
    ('kW', 'kWh', 'Wh', None)
    """
    if spelled := _SPELLED.search(plain(name)):
        return {"kilo": "kWh", "mega": "MWh"}.get(spelled[1], "Wh")
    found = _UNIT.search(name)
    return UNITS[next(each for each in found.groups() if each).lower()] if found else None


def without_tariff(name: str) -> str:
    """A name in plain words without those of a tariff: what columns that add up have in common."""
    return " ".join(_pattern(TARIFF).sub(" ", plain(name)).split())


def side_of(name: str) -> Side | None:
    """Whether a name says that its time begins or ends an interval; None where it says neither."""
    start, end = says(name, START), says(name, END)
    return None if start == end else "start" if start else "end"


def direction_of(name: str) -> str | None:
    """The direction that a name or value says; None where it says none, or both, or is not of active energy."""
    if code := CODES.get(plain(name)):
        return code
    if says(name, REACTIVE):
        return None
    into, out = says(name, IN), says(name, OUT)
    return None if into == out else "import" if into else "export"

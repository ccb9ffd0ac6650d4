"""The suppliers of the made-up company: who they are, what they send, how they number it.

None of them exists. The regular ones stand in a table; the others are put together from a surname and a trade.
"""

from __future__ import annotations

import random
from typing import Final, NamedTuple

from libs.contracts.identity import derived_id
from libs.paper import Language
from well.demo.company.booked import Supplier
from well.demo.company.tax_ids import iban, vat_number

OWN_ADDRESS: Final = ("Maison Tilleul SAS", "8 quai Saint-Antoine", "69002 Lyon", "France")
"""The made-up company itself."""

_COUNTRIES: Final[dict[str, tuple[str, Language, str, int]]] = {
    "FR": ("France", "fr", "EUR", 200),
    "DE": ("Deutschland", "de", "EUR", 0),
    "NL": ("Nederland", "en", "EUR", 0),
    "BE": ("Belgique", "fr", "EUR", 0),
    "IT": ("Italia", "en", "EUR", 0),
    "ES": ("España", "en", "EUR", 0),
    "GB": ("United Kingdom", "en", "GBP", 0),
    "US": ("United States", "en", "USD", 0),
}
"""Name, language of headings, currency, tax per mille. From abroad a French company is billed without VAT: it accounts
for the tax itself (reverse charge, Directive 2006/112/EC, articles 196 and 200)."""


class Sends(NamedTuple):
    """A supplier and its habits: what it bills, in minor units from and to, and how it numbers.

    `describes` and `numbering` are formats of `year` and `month`, the latter also of `n`, its own running number. What
    is billed each month comes as one piece; other things by up to `pieces_max`.
    """

    supplier: Supplier
    describes: str
    least_minor: int
    most_minor: int
    numbering: str
    due_days: int
    pieces_max: int


class _Row(NamedTuple):
    name: str
    country: str
    street: str
    city: str
    describes: str
    least_minor: int
    most_minor: int
    numbering: str
    due_days: int


REGULAR: Final = (
    _Row("SCI Les Platanes", "FR", "3 place Bellecour", "69002 Lyon",
         "Loyer et charges, {month:02d}/{year}", 214_000, 214_000, "Q{year}-{month:02d}", 5),
    _Row("Lumen Télécom SA", "FR", "12 avenue Foch", "75016 Paris",
         "Fibre pro et 6 mobiles, {month:02d}/{year}", 18_990, 21_490, "{n:010d}", 15),
    _Row("Volterra Énergie SAS", "FR", "41 cours Lafayette", "69003 Lyon",
         "Électricité, atelier et boutique, {month:02d}/{year}", 31_000, 92_000, "{year}{month:02d}-{n:06d}", 20),
    _Row("Nuage & Fils SARL", "FR", "7 rue Mercière", "69002 Lyon",
         "Abonnement comptoir en ligne, 12 postes", 34_800, 34_800, "NF{year}{n:05d}", 30),
    _Row("Cedar Cloud Inc.", "US", "548 Market Street", "San Francisco, CA 94104",
         "Cedar Team plan, {month:02d}/{year}", 18_000, 26_000, "INV-{n:06d}", 0),
    _Row("Brightwater Analytics Ltd", "GB", "20 Old Mill Lane", "Bristol BS1 4QA",
         "Monthly reporting retainer", 95_000, 95_000, "BW/{year}/{n:03d}", 30),
    _Row("Feinwerk Köhler GmbH & Co. KG", "DE", "Gerberstraße 11", "70178 Stuttgart",
         "Wartung Lasergravur, Monat {month:02d}", 48_000, 61_000, "RE-{n:06d}", 14),
)  # fmt: skip

OCCASIONAL: Final = (
    _Row("Kontorhaus Brandt GmbH", "DE", "Speicherstadt 4", "20457 Hamburg",
         "Verpackung, Karton und Seidenpapier", 12_000, 88_000, "{year}/{n:05d}", 14),
    _Row("Van der Meer Logistiek B.V.", "NL", "Waalhaven 19", "3089 JH Rotterdam",
         "Groupage Rotterdam - Lyon", 35_000, 240_000, "VF{year}{n:04d}", 30),
    _Row("Imprimerie Dubois SRL", "BE", "Rue Neuve 88", "1000 Bruxelles",
         "Catalogue de saison, 500 ex.", 64_000, 180_000, "D{n:05d}", 30),
    _Row("Officine Bellandi S.r.l.", "IT", "Via Tornabuoni 6", "50123 Firenze",
         "Pelle conciata al vegetale", 90_000, 460_000, "{n}/{year}", 60),
    _Row("Talleres Ibarra S.L.", "ES", "Calle Mayor 21", "48001 Bilbao",
         "Herrajes de latón", 15_000, 95_000, "A-{year}-{n:04d}", 30),
    _Row("Pixel Foundry LLC", "US", "1200 NW Couch Street", "Portland, OR 97209",
         "Typeface licence, web and print", 9_900, 49_900, "{n:05d}", 15),
    _Row("Hargreaves & Sons Ltd", "GB", "4 Mill Road", "Leeds LS1 5DQ",
         "Brass castings, small batch", 22_000, 160_000, "SI-{n:06d}", 30),
)  # fmt: skip

_SURNAMES: Final = (
    "Brémond Garnier Lefèvre Rousset Chabert Morel Fontaine Perrin Giraud Vasseur Collet Barbier Marchand Noël Besson "
    "Dupuis Tissot Gaillard Renaud Meunier"
).split()
_FORMS: Final = "SARL SAS EURL SASU".split()
_TRADES: Final = {
    "Menuiserie": "Fabrication et pose de présentoirs",
    "Plomberie": "Intervention sur réseau d'eau",
    "Nettoyage": "Entretien des locaux",
    "Conseil": "Accompagnement, journée sur site",
    "Transports": "Livraison région lyonnaise",
    "Traiteur": "Buffet, réunion du personnel",
    "Formation": "Formation sécurité, par participant",
    "Papeterie": "Fournitures de bureau",
}
_FRENCH_NUMBERINGS: Final = ("F-{year}-{n:03d}", "FA{n:06d}", "{year}{month:02d}{n:03d}", "FC {n:05d}")
_STREETS: Final = ("rue de la République", "avenue Jean Jaurès", "chemin des Mûriers", "rue Victor Hugo")
_CITIES: Final = ("69003 Lyon", "69100 Villeurbanne", "38000 Grenoble", "42000 Saint-Étienne", "01000 Bourg-en-Bresse")


def sends_of(row: _Row, seed: int, chance: random.Random, *, pieces_max: int) -> Sends:
    """A row of the table as a supplier with its habits, tax number and account."""
    country, language, currency, tax_per_mille = _COUNTRIES[row.country]
    supplier = Supplier(
        contact_id=contact_id(seed, row.name),
        name=row.name,
        address=(row.street, row.city, country),
        vat_number=vat_number(row.country, chance),
        iban=iban(row.country, chance),
        language=language,
        currency=currency,
        tax_per_mille=tax_per_mille,
    )
    return Sends(supplier, row.describes, row.least_minor, row.most_minor, row.numbering, row.due_days, pieces_max)


def local_rows(count: int, chance: random.Random) -> list[_Row]:
    """At most `count` small French suppliers, no two of one name; surname times trade is all there are."""
    pairs = [(trade, surname) for trade in _TRADES for surname in _SURNAMES]
    return [
        _Row(
            f"{trade} {surname} {chance.choice(_FORMS)}",
            "FR",
            f"{chance.randrange(1, 120)} {chance.choice(_STREETS)}",
            chance.choice(_CITIES),
            _TRADES[trade],
            4_500,
            320_000,
            chance.choice(_FRENCH_NUMBERINGS),
            chance.choice((15, 30, 30, 45)),
        )
        for trade, surname in chance.sample(pairs, min(count, len(pairs)))
    ]


def contact_id(seed: int, name: str) -> str:
    """The supplier's id in Xero: one name, one contact."""
    return str(derived_id("made-up company", seed, "contact", name))

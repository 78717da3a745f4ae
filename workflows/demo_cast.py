"""The people of the demonstration, and the automations that lead them."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import phonenumbers

from kit import phone

PEOPLE = 200
SEED = 2026  # the same people on every server

FIELDS: tuple[dict[str, Any], ...] = (
    {"name": "country", "label": "Country", "type": "TEXT", "group": "Where"},
    {"name": "invoiceTotal", "label": "Total of invoices", "type": "CURRENCY", "group": "Business"},
    {"name": "tier", "label": "Tier", "type": "DROPDOWN", "options": ["Bronze", "Silver", "Gold"], "group": "Business"},
    {"name": "birthday", "label": "Birthday", "type": "DATE", "group": "Person"},
    {
        "name": "interests",
        "label": "Interests",
        "type": "CHECKBOX",
        "options": ["Workshops", "Books", "Travel", "Music", "Gardening"],
        "group": "Person",
    },
)
LISTS = (
    ("Newsletter", "What is new, once a week.", "EMAIL"),
    ("Customers", "Everybody who has bought something.", "EMAIL"),
    ("Beta testers", "Want to see things first.", "EMAIL"),
    ("Text messages", "Short reminders by SMS.", "SMS"),
)
TAGS = ("welcomed", "vip", "interested", "at risk", "fair 2026", "referred", "press", "partner")
COLLEAGUES = (("Mara Lindqvist", "ADMIN"), ("Tom Okafor", "MEMBER"), ("Yuki Tanaka", "VIEWER"))
COMPANIES = (
    *("Harbour & Pine", "Bluebird Press", "Ostrava Tools", "Casa Verde", "Lumen Optics", "Kestrel Logistics"),
    *("Atelier Moreau", "Green Fork", "Nordlys Studio", "Tidewater Clinic", "Okoye Textiles", "Sakura Foods"),
)
TITLES = (
    "Buyer",
    "Founder",
    "Head of Marketing",
    "Designer",
    "Librarian",
    "Teacher",
    "Office Manager",
    "Engineer",
    None,
)

# Country, its given names, its family names.
_NAMES = (
    ("US", "Olivia James Harper Elijah Ava Mason", "Johnson Rivera Nguyen Brooks Washington Cohen"),
    ("CA", "Charlotte Liam Noémie Owen Maya Étienne", "Tremblay MacDonald Singh Gagnon Leblanc Wong"),
    ("GB", "Amelia Oliver Priya Harry Freya Callum", "Smith Evans O’Connor Patel Hughes Campbell"),
    ("FR", "Chloé Louis Inès Gabriel Zoé Théo", "Lefèvre Dubois Benali Girard Fontaine Rousseau"),
    ("DE", "Emma Jürgen Lena Finn Käthe Jonas", "Müller Schäfer Yılmaz Krause Weiß Vogel"),
    ("ES", "Lucía Hugo Martina Iñaki Carmen Pablo", "García Fernández Núñez Serrano Ortega Ibáñez"),
    ("IT", "Sofia Lorenzo Giulia Matteo Chiara Nicolò", "Rossi Esposito Bianchi Conti De Luca Greco"),
    ("BR", "Helena Miguel Júlia Davi Luíza João", "Silva Oliveira Araújo Conceição Barbosa Lima"),
    ("IN", "Ananya Arjun Diya Vihaan Meera Rohan", "Sharma Iyer Reddy Banerjee Khan Desai"),
    ("JP", "Yui Haruto Aoi Sota Hina Ren", "Satō Suzuki Takahashi Itō Yamamoto Kobayashi"),
    ("NG", "Chiamaka Tunde Ngozi Emeka Aisha Ifeanyi", "Adeyemi Okonkwo Balogun Eze Bello Nwosu"),
    ("PL", "Zofia Jakub Łucja Stanisław Maja Wojciech", "Nowak Kowalczyk Wiśniewska Zieliński Wójcik Dąbrowska"),
    ("SE", "Astrid Lars Freja Björn Ebba Åke", "Andersson Lindqvist Sjöberg Nyström Öberg Holm"),
    ("MX", "Ximena Santiago Valentina Mateo Regina Emiliano", "Hernández López Castillo Peña Muñoz Vargas"),
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as they first come in, and what will happen to them."""

    values: dict[str, Any]  # for services.contacts.create, without lists
    lists: tuple[str, ...]
    joined: float  # days after the beginning
    turns: tuple[tuple[str, float], ...]  # what happens, how many days after they joined


def people(days: float) -> Iterator[Person]:
    """The cast, in the order they join within so many days."""
    dice = random.Random(SEED)
    moments = sorted(dice.uniform(0.1, days - 0.2) for _ in range(PEOPLE))
    known: set[str] = set()
    for joined in moments:
        yield Person(_values(dice, known), _lists(dice), joined, _turns(dice))


def _values(dice: random.Random, known: set[str]) -> dict[str, Any]:
    country, given, family = dice.choice(_NAMES)
    first, last = dice.choice(given.split()), dice.choice(family.replace("De Luca", "Romano").split())
    company = dice.choice(COMPANIES) if dice.random() < 0.6 else None
    address = _address(first, last, company, known)
    kind = dice.random()
    fields: list[dict[str, Any]] = [{"name": "country", "value": country}]
    if dice.random() < 0.7:
        fields.append({"name": "invoiceTotal", "value": round(dice.lognormvariate(3.4, 0.8), 2)})
    if dice.random() < 0.4:
        birthday = f"{dice.randint(1955, 2005)}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}"
        fields.append({"name": "birthday", "value": birthday})
    if dice.random() < 0.5:
        interests = dice.sample(["Workshops", "Books", "Travel", "Music", "Gardening"], dice.randint(1, 3))
        fields.append({"name": "interests", "value": interests})
    return {
        "email": address if kind < 0.9 else None,
        "phone": _mobile(dice, country) if kind > 0.55 else None,
        "first_name": first,
        "last_name": last,
        "job_title": dice.choice(TITLES) if company else None,
        "company": company,
        "lifecycle_stage": dice.choice(["SUBSCRIBER", "SUBSCRIBER", "LEAD", "CUSTOMER"]),
        "field_values": fields,
        "tags": [tag for tag in ("fair 2026", "referred", "press", "partner") if dice.random() < 0.12],
    }


def _address(first: str, last: str, company: str | None, known: set[str]) -> str:
    place = _ascii(company or "mail") + ".example"
    address, number = f"{_ascii(first)}.{_ascii(last)}@{place}", 1
    while address in known:
        number += 1
        address = f"{_ascii(first)}.{_ascii(last)}{number}@{place}"
    known.add(address)
    return address


def _ascii(words: str) -> str:
    folded = unicodedata.normalize("NFKD", words.translate(_FOLDED))
    return "".join(letter for letter in folded.lower() if letter.isascii() and letter.isalnum())


_FOLDED = str.maketrans({"ł": "l", "Ł": "L", "ß": "ss", "ı": "i"})  # what has no decomposition


def _mobile(dice: random.Random, country: str) -> str:
    example = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    assert example is not None
    while True:
        number = f"+{example.country_code}{str(example.national_number)[:-5]}{dice.randint(0, 99_999):05}"
        if found := phone.normalise(number, country):
            return found


def _lists(dice: random.Random) -> tuple[str, ...]:
    chances = (("Newsletter", 0.75), ("Beta testers", 0.15), ("Text messages", 0.12))
    return tuple(name for name, chance in chances if dice.random() < chance)


def _turns(dice: random.Random) -> tuple[tuple[str, float], ...]:
    chances = (
        ("interested", 0.25, 2.5, 8),
        ("leaves", 0.08, 1, 12),
        ("at risk", 0.10, 3, 15),
        ("bought", 0.30, 0.5, 20),
        ("ended by hand", 0.06, 1, 6),
        ("entered by hand", 0.08, 1, 9),
        ("note", 0.12, 0.1, 10),
        ("task done", 0.30, 3, 14),
    )
    turns = [
        (what, dice.uniform(soonest, latest)) for what, chance, soonest, latest in chances if dice.random() < chance
    ]
    return tuple(sorted(turns, key=lambda turn: turn[1]))


def welcome(newsletter: str, customers: str, assignee: str) -> dict[str, Any]:
    """The automation that greets new subscribers; lists and assignee by their global ids."""
    return {
        "name": "Welcome new subscribers",
        "description": "Greets everybody who joins the newsletter, and finds out who needs a call.",
        "triggers": [{"on": {"listSubscribed": {"listId": newsletter}}}],
        "steps": [
            _step("hello", {"addTag": {"tag": "welcomed"}}, "rest"),
            _step("rest", {"waitFor": {"duration": {"days": 2}}}, "spender"),
            _fork("spender", {"field": {"name": "invoiceTotal", "op": "AT_LEAST", "value": 40}}, "vip", "patience"),
            _step("vip", {"addTag": {"tag": "vip"}}, "gold"),
            _step("gold", {"setField": {"name": "tier", "value": "Gold"}}, "customer"),
            _step("customer", {"subscribe": {"listId": customers}}, "call"),
            _step(
                "call",
                {"addTask": {"title": "Say thank you", "type": "CALL", "dueIn": {"days": 1}, "assigneeId": assignee}},
                None,
            ),
            _step(
                "patience",
                {"waitUntilCondition": {"where": {"tag": {"hasAny": ["interested"]}}, "timeout": {"days": 7}}},
                "near",
            ),
            _fork("near", {"field": {"name": "country", "op": "IS_ANY_OF", "value": ["US", "CA"]}}, "invite", "remark"),
            _step("invite", {"addTask": {"title": "Invite to the spring fair", "dueIn": {"days": 3}}}, None),
            _step("remark", {"addNote": {"text": "Lives too far away for the fair: send the brochure."}}, "untag"),
            _step("untag", {"removeTag": {"tag": "welcomed"}}, "over"),
            _step("over", {"end": {"reason": "Brochure"}}, None),
        ],
    }


def win_back(newsletter: str) -> dict[str, Any]:
    """The automation for contacts at risk. Who left the newsletter by themselves is not put on it again."""
    return {
        "name": "Win back",
        "entry_policy": "AFTER_EXIT",
        "triggers": [{"on": {"tagAdded": {"tag": "at risk"}}}],
        "steps": [
            _step("calm", {"waitFor": {"duration": {"days": 3}}}, "again"),
            _step("again", {"subscribe": {"listId": newsletter}}, "bronze"),
            _step("bronze", {"setField": {"name": "tier", "value": "Bronze"}}, "safe"),
            _step("safe", {"removeTag": {"tag": "at risk"}}, None),
        ],
    }


def _step(key: str, do: dict[str, Any], next_: str | None) -> dict[str, Any]:
    return {"id": key, "do": do, "next": next_}


def _fork(key: str, where: dict[str, Any], yes: str, no: str) -> dict[str, Any]:
    branches = [{"name": "YES", "next": yes}, {"name": "NO", "next": no}]
    return {"id": key, "do": {"ifElse": {"where": where}}, "next": None, "branches": branches}

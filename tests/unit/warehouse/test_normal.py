"""Normal forms of countries, languages, zones, genders, addresses and links (C-10, C-16)."""

from __future__ import annotations

from zoneinfo import available_timezones

import pycountry
import pytest

from muster.warehouse.normal.countries import country_code
from muster.warehouse.normal.emails import normal_email
from muster.warehouse.normal.genders import gender_of
from muster.warehouse.normal.languages import language_tag
from muster.warehouse.normal.links import campaign_in, referrer_host
from muster.warehouse.normal.traits import Taken, normal_trait
from muster.warehouse.normal.zones import zone_name


@pytest.mark.parametrize("country", list(pycountry.countries), ids=lambda country: country.alpha_2)
def test_country_by_code_and_english_name(country):
    spellings = [country.alpha_2, country.alpha_3.lower(), country.name.upper(), f" {country.name} "]
    assert [country_code(spelling) for spelling in spellings] == [country.alpha_2] * 4


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("DDR", "DE"), ("TP", "TL"), ("ZAR", "CD"), ("BUR", "MM"), ("FX", "FR"), ("VDR", "VN"),  # one successor
        ("CSK", None), ("SUN", None), ("YU", None), ("AN", None),  # several, or none
        ("SK", "SK"), ("AI", "AI"), ("GE", "GE"),  # given to another country since
        ("Bolivia", "BO"), ("UK", "GB"), ("EU", None), ("Atlantis", None), ("", None),
    ],
)  # fmt: skip  # a table, read by rows
def test_withdrawn_and_unusual_countries(text, code):
    assert country_code(text) == code


@pytest.mark.parametrize(
    ("text", "gender"),
    [
        ("M", "male"),
        ("Homme", "male"),
        ("w", "female"),
        ("FÉMININ", "female"),
        ("Non-Binary", "other"),
        ("x", "other"),
        (" ", ""),
        ("NA", ""),
        ("Unbekannt", ""),
        ("robot", None),
    ],
)
def test_gender_words(text, gender):
    assert gender_of(text) == gender


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("nb_no", "nb-NO"), ("EN-us", "en-US"), ("zh_hans_cn", "zh-Hans-CN"), ("iw", "he"), ("de_DE.UTF-8", "de-DE"),
        ("sr_RS@latin", "sr-RS"), ("C", ""), ("und", ""), ("english", None), ("qq-", None), ("x", None),
    ],
)  # fmt: skip  # a table, read by rows
def test_language_tags(text, tag):
    assert language_tag(text) == tag


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("europe/kiev", "Europe/Kyiv"),
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("US/Eastern", "America/New_York"),
        ("Europe/Stockholm", "Europe/Stockholm"),
        (" UTC ", "Etc/UTC"),
        ("Mars/Olympus", None),
        ("", None),
    ],
)
def test_zone_names(text, zone):
    assert zone_name(text) == zone


def test_every_zone_of_the_database_has_a_canonical_name():
    names = available_timezones() - {"localtime", "Factory", "posixrules"}
    unknown = {name for name in names if zone_name(name) is None and not name.startswith(("posix/", "right/"))}
    assert unknown == set()
    assert all(zone_name(zone_name(name) or "") == zone_name(name) for name in names)


@pytest.mark.parametrize(
    ("address", "normal"),
    [
        (" Ann.B+shop@Example.COM ", "ann.b+shop@example.com"),
        ("ann@BÜCHER.example", "ann@xn--bcher-kva.example"),
        ("ann@xn--bcher-kva.EXAMPLE", "ann@xn--bcher-kva.example"),
        ("straße@example.com", "strasse@example.com"),
        ("ann@faß.example", "ann@xn--fa-hia.example"),
        ("a@b_c.example", "a@b_c.example"),
        ('"a@b"@example.com', '"a@b"@example.com'),
        ("max@@example.com", None),
        ("a@b@example.com", None),
        ("ann@example..com", None),
        ("ann@.example", None),
        ("ann", None),
        ("@example.com", None),
        ("ann@", None),
        ("a b@example.com", None),
        ("ann@\u0338.example", None),
        ("a" * 250 + "@example.com", None),
    ],
)
def test_email_normal_form(address, normal):
    assert normal_email(address) == normal


@pytest.mark.parametrize(
    ("url", "campaign"),
    [
        ("https://a.example/?utm_campaign=x&cid=y", "y"),
        ("https://a.example/?utm_campaign=a+b%2Fc", "a b/c"),
        ("https://a.example/?cid=%20", None),
        ("https://a.example/#cid=x", None),
        ("https://[bad/?cid=x", None),
        ("?cid=%ff", "\ufffd"),
    ],
)
def test_campaign_in_a_url(url, campaign):
    assert campaign_in(url) == campaign


@pytest.mark.parametrize(
    ("referrer", "host"),
    [
        ("https://WWW.News.example:8080/a", "news.example"),
        ("https://bücher.example", "xn--bcher-kva.example"),
        ("android-app://com.example/", "com.example"),
        ("news.example", None),
        ("https://[bad", None),
        ("", None),
    ],
)
def test_referrer_host(referrer, host):
    assert referrer_host(referrer) == host


@pytest.mark.parametrize(
    ("attribute", "value", "taken"),
    [
        ("age", "41.9", Taken("41")),
        ("age", '"41"', Taken("41")),
        ("age", "121", Taken(None, "value_out_of_range")),
        ("age", "true", Taken(None, "type_conflict")),
        ("age", "null", Taken("null")),
        ("birthday", '"1966-08-04T00:00:00Z"', Taken('"1966-08-04"')),
        ("birthday", '"8/4/1966"', Taken(None, "type_conflict")),
        ("name", '"  "', Taken("null")),
        ("name", "5", Taken('"5"')),
        ("name", "{}", Taken(None, "type_conflict")),
        ("name", f'"{"x" * 1025}"', Taken(None, "value_too_long")),
        ("country", '""', Taken("null")),
        ("country", '"Mars"', Taken(None, "country_unknown")),
        ("created_at", '"2020-01-01"', Taken('"2020-01-01T00:00:00.000000Z"')),
        ("created_at", "5", Taken(None, "type_conflict")),
    ],
)
def test_standard_traits(attribute, value, taken):
    assert normal_trait(attribute, value) == taken

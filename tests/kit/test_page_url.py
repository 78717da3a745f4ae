"""What is kept of the address of a page, and what is not."""

from __future__ import annotations

import pytest

from kit import browser, page_url

CASES = {
    "https://Shop.test:443/Prix/%C3%A9t%C3%A9/?b=2&utm_source=news#top": ("https://shop.test/Prix/été", "b=2"),
    "http://shop.test": ("http://shop.test", None),
    "http://shop.test:8080/": ("http://shop.test:8080", None),
    "https://shop.test/%FF/a%00b": ("https://shop.test/%FF/a%00b", None),
    "https://bücher.test/ä": ("https://xn--bcher-kva.test/ä", None),
    "https://s.test/?author=me&token=1&reset_token=2&Email=a&apikey=3&sid=4&to=a@b.test&gclid=5": (
        "https://s.test",
        "author=me",
    ),
    "https://s.test/?parcours_contact=abc&q=a+b": ("https://s.test", "q=a+b"),
}
NONE = [
    *(None, 7, "", "shop.test/x", "ftp://shop.test/x", "javascript:alert(1)", "https:///x", "https://u:p@shop.test"),
    *(
        "https://shop.test/a b",
        "https://shop.test/\n",
        "https://shop.test/?a=\ud800",
        "https://[::1/",
        "https://x.test:x",
    ),
    "https://shop.test/" + "a" * 2_000,
]


@pytest.mark.parametrize("given", CASES)
def test_what_is_kept(given):
    found = page_url.read(given)
    assert found is not None
    assert (found.url, found.query) == CASES[given]
    assert found.url.endswith(found.path) or found.path == "/"


@pytest.mark.parametrize("given", NONE)
def test_what_is_no_address_of_a_page(given):
    assert page_url.read(given) is None


def test_campaigns_are_read_apart():
    found = page_url.read("https://s.test/?UTM_Source=News%00letter&utm_campaign=&utm_medium=" + "m" * 300)
    assert found is not None
    assert found.utm == {"utm_source": "Newsletter", "utm_medium": "m" * 200}


AGENTS = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36": (
        *("DESKTOP", "Chrome"),
    ),
    "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0": ("DESKTOP", "Firefox"),
    "Mozilla/5.0 (iPad; CPU OS 16_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.5 Mobile/15E148 "
    "Safari/604.1": ("TABLET", "Mobile Safari"),
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile "
    "Safari/537.36": ("MOBILE", "Chrome Mobile"),
    "Mozilla/5.0 (Linux; Android 13; SM-X200) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36": (
        *("TABLET", "Chrome"),
    ),
    "": (None, None),
    "\x00né": (None, None),
}


@pytest.mark.parametrize("agent", AGENTS)
def test_what_a_browser_says_of_itself(agent):
    found = browser.read(agent)
    assert ((found.device, found.family), found.machine) == (AGENTS[agent], False)


def test_a_machine_is_one():
    assert browser.read("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)").machine

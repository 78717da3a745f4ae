"""The HTML of a mail: made once of what was written (HTML, MJML or plain text), Liquid left in it as it was."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape, unescape
from html.parser import HTMLParser

import css_inline
import mrml

_LIQUID = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_BACK = re.compile(r"(?:<|&lt;)!--liquid(\d+)--(?:>|&gt;)|liquid(\d+)gap")
_TAG = re.compile(r"<[a-zA-Z!/][^<>]*>")
_ADDRESS = re.compile(r"(?<![\w\"'=])https?://[^\s<>\"']+[^\s<>\"'.,;:!?)]")
_PAGE = re.compile(r"<(?:html|head|body)\b", re.IGNORECASE)
_TITLE = re.compile(r"<body[^>]*>", re.IGNORECASE)
_INLINER = css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)

# Nothing of this is shown; most mailboxes put it beside the subject in their lists.
_PREHEADER = '<div style="display:none;max-height:0;overflow:hidden">{}</div>'


class NotMjml(Exception):
    """What was given as MJML is none; says where."""


def from_source(source: str, format_: str) -> str:
    """HTML or MJML as mail programs read it: styles stand in the elements. NotMjml."""
    if format_ == "MJML":
        return _around_liquid(source, _from_mjml, in_text="liquid{}gap")
    return _around_liquid(source, _inlined, in_text="<!--liquid{}-->")


def from_text(text: str) -> str:
    """Plain text as simple HTML, its lines kept and its addresses links."""
    marked = _around_liquid(text, _paragraphs, in_text="liquid{}gap")
    return f'<!doctype html><html><body style="font-family:sans-serif">{marked}</body></html>'


def is_html(body: str) -> bool:
    """Whether a body is HTML rather than plain text."""
    return _TAG.search(_LIQUID.sub("", body)) is not None


def is_mjml(body: str) -> bool:
    return body.lstrip()[:5].lower() == "<mjml"


def with_preheader(html: str, preheader: str | None) -> str:
    """The same with a sentence at its beginning that only lists of mails show."""
    return _put_first(html, _PREHEADER.format(preheader)) if preheader else html


def at_end(html: str, more: str) -> str:
    """The same with something before the end of its body."""
    at = html.lower().rfind("</body>")
    return html + more if at < 0 else html[:at] + more + html[at:]


def _put_first(html: str, more: str) -> str:
    found = _TITLE.search(html)
    return html[: found.end()] + more + html[found.end() :] if found else more + html


def _around_liquid(source: str, make: Callable[[str], str], *, in_text: str) -> str:
    """`make` of the source while its Liquid is out of the way: as a comment in text, as a word within a tag."""
    gaps: list[str] = []

    def gap(match: re.Match[str]) -> str:
        gaps.append(match[0])
        before = source[: match.start()]
        within_tag = before.rfind("<") > before.rfind(">")
        return (f"liquid{len(gaps) - 1}gap") if within_tag else in_text.format(len(gaps) - 1)

    made = make(_LIQUID.sub(gap, source))
    return _BACK.sub(lambda match: gaps[int(match[1] or match[2])], made)


# A font that is loaded from elsewhere would tell strangers who reads.
_NO_FONTS = mrml.RenderOptions(fonts={})


def _from_mjml(source: str) -> str:
    try:
        return mrml.to_html(source, None, _NO_FONTS).content
    except OSError as error:
        raise NotMjml(str(error)[:200]) from error


def _inlined(html: str) -> str:
    """Styles in the elements. A part of a page gets a body first: Liquid at its beginning would stand before it."""
    return _INLINER.inline(html if _PAGE.search(html) else f"<body>{html}</body>")


def _paragraphs(text: str) -> str:
    linked = _ADDRESS.sub(lambda match: f'<a href="{match[0]}">{match[0]}</a>', escape(text, quote=False))
    return "".join(f"<p>{part.replace(chr(10), '<br>')}</p>" for part in re.split(r"\n\s*\n", linked.strip()))


class _Reader(HTMLParser):
    """Collects what a person would read, with line breaks where blocks end and addresses behind their links."""

    BLOCKS = frozenset(
        ("p", "div", "tr", "table", "ul", "ol", "li", "h1", "h2", "h3", "h4", "br", "hr", "blockquote", "pre")
    )
    UNREAD = frozenset(("style", "script", "head", "title"))

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.unread = 0
        self.links: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in self.UNREAD:
            self.unread += 1
        elif tag == "a":
            self.links.append(given.get("href"))
        elif tag == "img" and given.get("alt"):
            self.words.append(given["alt"] or "")
        elif tag == "li":
            self.words.append("\n- ")
        elif tag in self.BLOCKS:
            self.words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self.UNREAD:
            self.unread = max(0, self.unread - 1)
        elif tag == "a" and self.links:
            link = self.links.pop()
            if link and link.startswith(("http", "mailto:", "{{")) and link not in "".join(self.words[-3:]):
                self.words.append(f" ({link})")
        elif tag in ("p", "h1", "h2", "h3", "h4", "table"):
            self.words.append("\n\n")
        elif tag in ("td", "th"):
            self.words.append(" ")

    def handle_data(self, data: str) -> None:
        if not self.unread:
            self.words.append(re.sub(r"\s+", " ", data))


def to_text(html: str) -> str:
    """What a person would read of it, as plain text with its links: the other part of the same mail. Liquid stays."""

    def read(marked: str) -> str:
        reader = _Reader()
        reader.feed(re.sub(r"<!--\[if.*?<!\[endif\]-->", "", marked, flags=re.DOTALL))
        reader.close()
        lines = (" ".join(line.split()) for line in "".join(reader.words).split("\n"))
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()

    return _around_liquid(html, read, in_text="liquid{}gap")


def without_scripts(html: str) -> str:
    """The same with no attribute leading to a script: what a contact put into a link leads nowhere then (trust S24)."""

    def swap(match: re.Match[str]) -> str:
        return f"{match['before']}#{match['quote']}" if is_script(unescape(match["target"])) else match[0]

    return _LEADS.sub(swap, html)


def is_script(address: str) -> bool:
    """Whether a browser would run this as an address; it leaves out white space and control characters."""
    bare = "".join(letter for letter in address if letter > " ").lower()
    return bare.startswith(("javascript:", "vbscript:", "data:")) and not bare.startswith("data:image/")


_LEADS = re.compile(
    r"(?P<before>\b(?:href|src|action|formaction|background|poster)\s*=\s*(?P<quote>[\"']))(?P<target>[^\"']*)(?P=quote)",
    re.IGNORECASE,
)


def link_targets(html: str, replace: Callable[[str], str]) -> str:
    """The same with every web address that an `<a>` leads to replaced."""

    def swap(match: re.Match[str]) -> str:
        target = unescape(match["target"])
        return f"{match['before']}{escape(replace(target))}{match['quote']}"

    return _HREF.sub(swap, html)


_HREF = re.compile(
    r"(?P<before><a\b[^>]*?\bhref\s*=\s*(?P<quote>[\"']))\s*(?P<target>https?://[^\"'<>]+?)\s*(?P=quote)", re.IGNORECASE
)

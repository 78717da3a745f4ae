"""How the weekly report looks as an e-mail: figures, and a chart that every mail program can show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from html import escape
from typing import Any

SOURCES = {
    "website": "Website",
    "checkout": "Checkout",
    "imported": "Imported",
    "forms": "Forms",
    "others": "By hand or API",
}
BAR_WIDTH = 240  # pixels of the longest one


def written(report: Mapping[str, Any], totals: Sequence[tuple[date, int]], *, account: str) -> dict[str, str]:
    """The `subject html text` of a report; `totals` are those of the latest weeks, this one last."""
    begin = report["week"]
    period = f"{begin:%Y-%m-%d} – {begin + timedelta(days=6):%Y-%m-%d}"
    figures = [
        ("New subscribers", f"{report['subscribed']:,}"),
        ("Unsubscribed", f"{report['unsubscribed']:,}"),
        ("Subscribers in all", f"{report['total']:,}{_change(report['total_before'], report['total'])}"),
    ]
    sources = [(label, report[key]) for key, label in SOURCES.items() if report[key]]
    weeks = [(f"{week:%d %b}", total) for week, total in totals]
    return {
        "subject": f"{account}: your subscribers, {period}",
        "text": _text(period, figures, sources, weeks),
        "html": _html(account, period, figures, sources, weeks),
    }


def _change(before: int, after: int) -> str:
    """In per cent; nothing where there was nobody before (Q13)."""
    return f" ({100 * (after - before) / before:+,.1f} %)" if before else ""


def _text(
    period: str,
    figures: Sequence[tuple[str, str]],
    sources: Sequence[tuple[str, int]],
    weeks: Sequence[tuple[str, int]],
) -> str:
    lines = [f"Week {period}", "", *(f"{label}: {value}" for label, value in figures)]
    if sources:
        lines += ["", "Where the new ones came from:", *(f"  {label}: {n:,}" for label, n in sources)]
    lines += ["", "Subscribers at the end of each week:", *(f"  {label}: {n:,}" for label, n in weeks)]
    return "\n".join([*lines, "", _LEAVE, ""])


_LEAVE = "You get this as an owner. Switch it off with updateReportPreference(input: {weeklyReport: false})."
_PAGE = """<div style="font-family:sans-serif;color:#222;max-width:480px">
<h2 style="margin:0 0 4px">{account}</h2>
<p style="margin:0 0 16px;color:#666">Week {period}</p>
<table role="presentation" cellpadding="4" cellspacing="0">{figures}</table>
{sources}<h3 style="margin:20px 0 4px;font-size:15px">Subscribers at the end of each week</h3>
{weeks}
<p style="font-size:12px;color:#666">{leave}</p>
</div>"""
_FIGURE = '<tr><td>{}</td><td align="right"><strong>{}</strong></td></tr>'
_SOURCES = '<h3 style="margin:20px 0 4px;font-size:15px">Where the new ones came from</h3>\n{}\n'
_BAR = (
    '<tr><td style="padding-right:8px">{label}</td>'
    '<td><table role="presentation" cellpadding="0" cellspacing="0"><tr>'
    '<td width="{width}" height="14" bgcolor="{colour}" style="font-size:0;line-height:0">&nbsp;</td>'
    '<td style="padding-left:6px">{value}</td></tr></table></td></tr>'
)


def _html(
    account: str,
    period: str,
    figures: Sequence[tuple[str, str]],
    sources: Sequence[tuple[str, int]],
    weeks: Sequence[tuple[str, int]],
) -> str:
    return _PAGE.format(
        account=escape(account),
        period=period,
        figures="".join(_FIGURE.format(label, value) for label, value in figures),
        sources=_SOURCES.format(_chart(sources, "#44aa77")) if sources else "",
        weeks=_chart(weeks, "#4477aa"),
        leave=escape(_LEAVE),
    )


def _chart(bars: Sequence[tuple[str, int]], colour: str) -> str:
    """Bars of table cells: pictures and drawings are what mail programs leave out."""
    most = max((value for _, value in bars), default=0) or 1
    rows = [
        _BAR.format(label=escape(label), width=max(1, round(BAR_WIDTH * n / most)), colour=colour, value=f"{n:,}")
        for label, n in bars
    ]
    return f'<table role="presentation" cellpadding="2" cellspacing="0">{"".join(rows)}</table>'

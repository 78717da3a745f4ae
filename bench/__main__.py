"""`python -m bench [reads engine import latency scale audience mail flows]`: measure all of it, or what is named."""

from __future__ import annotations

import importlib
import os
import sys
from inspect import signature

from bench.lab import Figure, say

# word on the command line → module with `measure() -> list[Figure]`
BENCHES = {
    "reads": "bench.reads",
    "engine": "bench.engine",
    "import": "bench.import_rows",
    "latency": "bench.latency",
    "scale": "bench.scale",
    "audience": "bench.audience",
    "mail": "bench.mail",
    "flows": "bench.flows",
}


def main(words: list[str]) -> int:
    """Measure and print a table; `--contacts N` for those that can be smaller. Refused: a word that is none of ours."""
    options: dict[str, int] = {}
    if "--contacts" in words:
        place = words.index("--contacts")
        options["contacts"] = int(words[place + 1])
        words = words[:place] + words[place + 2 :]
    if unknown := [word for word in words if word not in BENCHES]:
        print(f"There is no bench {unknown[0]!r}. Choose from: {', '.join(BENCHES)}.", file=sys.stderr)
        return 2
    figures: list[Figure] = []
    for word in words or BENCHES:
        say(f"bench {word}")
        measure = importlib.import_module(BENCHES[word]).measure
        figures += measure(**{name: given for name, given in options.items() if name in signature(measure).parameters})
    print(f"\nMeasured on {os.cpu_count()} cores, everything on one machine.\n")
    widths = [max(len(getattr(each, name)) for each in figures) for name in ("what", "value", "beside")]
    for each in figures:
        print(f"  {each.what:<{widths[0]}}  {each.value:>{widths[1]}}  {each.beside:<{widths[2]}}".rstrip())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

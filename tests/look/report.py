"""What a look leaves: a sheet of all screenshots, and the bytes of each page as a table."""

from html import escape
from itertools import groupby

from tests.look.looking import Problem

LIMIT = 60_000

SHEET = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Every page and dialog</title>
<style>
  body {{ font: 14px system-ui; margin: 2rem; }} h2 {{ font-size: 16px; }}
  .shots {{ display: flex; flex-wrap: wrap; gap: 1rem; align-items: start; }} figure {{ margin: 0; }}
  img {{ display: block; border: 1px solid #bbb; max-height: 480px; max-width: 320px; }}
</style>
<h1>Every page and dialog</h1>
{}
</html>"""


def write_sheet(folder, all_seen):
    """Write index.html with the screenshots of each page, in the order in which pages were asked for."""
    parts = []
    for name, of_page in groupby(all_seen, key=lambda seen: seen.page):
        figures = [
            f'<figure><a href="{escape(path)}"><img loading="lazy" alt="" src="{escape(path)}"></a>'
            f"<figcaption>{escape(seen.role)} {width} {scheme}</figcaption></figure>"
            for seen in of_page
            for width, scheme, path in seen.shots
        ]
        parts.append(f'<h2>{escape(name)}</h2><div class="shots">{"".join(figures)}</div>')
    (folder / "index.html").write_text(SHEET.format("\n".join(parts)))


def weigh(all_seen):
    """Print the bytes of a first visit, as transferred with gzip; return a Problem for each page above the limit."""
    print(f"\n{'bytes, compressed':52}{'HTML':>8}{'CSS':>8}{'JS':>8}{'other':>8}{'total':>9}")
    problems = []
    for seen in all_seen:
        if seen.bytes:
            total = sum(seen.bytes.values())
            numbers = "".join(f"{number:>8,}" for number in seen.bytes.values())
            print(f"{seen.role:18}{seen.page:34}{numbers}{total:>9,}")
            if total > LIMIT:
                problems.append(Problem(seen.role, seen.page, "bytes", f"{total:,}, more than {LIMIT:,}"))
    return problems

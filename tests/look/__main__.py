"""Visit every page and dialog as each role, in light and dark, at 360, 800 and 1280 px, and look for what is wrong.

python -m tests.look [NAME…]   with names: only the pages whose name contains one of them

The portal runs as in production, on a database of its own. Looked for: violations of WCAG 2.2 AA and best practice
(axe), errors in the HTML as served (Nu), whatever the browser's console says, sideways scrolling (on the main pages at
400 % too), clipped text, more than 60 KB on a first visit, and less than 100 for accessibility or best practices on
the main pages (Lighthouse). Screenshots go to look-results/, index.html shows them all.
"""

import shutil
import signal
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path

from tests import chromium, postgres
from tests.look import portal

RESULTS = Path(__file__).resolve().parents[2] / "look-results"
PROCESSES = 2


def main(words):
    if chromium.PATH is None:
        sys.exit(chromium.MISSING)
    postgres.stop_politely()
    started = time.monotonic()
    with ExitStack() as stack:
        portal.set_up(stack.enter_context(tempfile.TemporaryDirectory()))
        from django.db import connection  # Django is set up now

        from tests.look import report, visits, world

        every, forgotten = visits.all_visits()
        chosen = [visit for visit in every if not words or any(word in visit.name for word in words)]
        if not chosen:
            sys.exit(f"No page is named like {', '.join(words)}.")
        cookies = world.cookies()
        connection.close()  # it cannot be shared with other processes
        addresses = {in_debug: stack.enter_context(portal.served(in_debug)) for in_debug in (False, True)}
        if not words:
            shutil.rmtree(RESULTS, ignore_errors=True)
        dialogs = {visit.opens.route for visit in every if visit.opens}
        looks, problems, missing = look(chosen, addresses, cookies, dialogs)
    missing += forgotten
    problems += report.weigh(looks)
    report.write_sheet(RESULTS, looks)
    counted = [problem for problem in problems if problem.counts]
    not_counted = [problem for problem in problems if not problem.counts]
    print(f"\nMarkup of Django's own administration, not counted: {len(not_counted)}", *not_counted, sep="\n")
    print(f"\nWrong: {len(counted)}", *counted, *(f"NOT LOOKED AT: {reason}" for reason in missing), sep="\n")
    shots = sum(len(seen.shots) for seen in looks)
    print(f"\n{len(chosen)} pages and dialogs, {shots} screenshots, {time.monotonic() - started:.0f} s", end=": ")
    print(RESULTS / "index.html")
    return 1 if counted or missing else 0


def look(chosen, addresses, cookies, dialogs):
    """Return ([Seen], [Problem], reasons why something was not looked for)."""
    from tests.look import outside
    from tests.look.visits import MAIN

    looks, missing, asked = [], [], []
    start = (chosen, addresses, cookies, RESULTS, dialogs)
    with ProcessPoolExecutor(PROCESSES, get_context("fork"), initializer=_start, initargs=start) as processes:
        for number, of_page in enumerate(processes.map(_see, range(len(chosen))), 1):
            looks += of_page
            found = sum(len(seen.problems) for seen in of_page)
            print(f"{number:4} of {len(chosen)}  {of_page[0].page:36}{found or ''}", flush=True)
        problems = [problem for seen in looks for problem in seen.problems]
        main = [visit for visit in chosen if visit.name in MAIN]
        try:
            outside.install()
            asked = [
                processes.submit(outside.ask_lighthouse, visit, addresses[False], cookies[visit.roles[0]])
                for visit in main
            ]
            print("The Nu HTML checker reads what was served", flush=True)
            problems += outside.check_html(looks, {visit.name for visit in chosen if not visit.is_ours})
        except outside.Missing as reason:
            missing.append(str(reason))
        for visit, answer in zip(main, asked, strict=False):
            try:
                scores, found = answer.result()
                problems += found
                print(f"Lighthouse: {visit.name:36}{scores}", flush=True)
            except outside.Missing as reason:
                missing.append(str(reason))
    return looks, problems, missing


def _start(chosen, *where):
    """Begin one of the processes that look."""
    global looker, visits
    from tests.look.looking import Looker

    looker, visits = Looker(*where), chosen


def _see(number):
    return looker.see(visits[number])


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)

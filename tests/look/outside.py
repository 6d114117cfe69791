"""What other programs say of the pages: the Nu HTML checker and Lighthouse, which npm installs at first use."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from django.conf import settings

from tests import chromium
from tests.look.looking import Problem

TOOLS = Path(__file__).resolve().parents[2] / ".look-tools"
# The newest Lighthouse that runs on Node 20.
VERSIONS = {"lighthouse": "12.8.2", "vnu-jar": "26.9.27"}
CATEGORIES = ("accessibility", "best-practices")
# A fragment lies in a page: that of a dialog in the one dialog there is.
AROUND = """<!doctype html>
<html lang="en"><head><title>A dialog</title></head><body><dialog aria-labelledby="modal-title">
{}
</dialog></body></html>"""
# htmx reads hx-… and data-hx-… alike; only the second is HTML by the letter.
HTMX = re.compile(r"(?<=\s)hx-(?=[a-z-]+=)")


class Missing(Exception):
    """A check cannot run here, for the reason given."""


def install():
    """Install the tools in their versions, if they are not there."""
    if all(_installed(name) == version for name, version in VERSIONS.items()):
        return
    if not shutil.which("npm"):
        raise Missing("Lighthouse and the Nu HTML checker: npm is not installed (Debian: apt install npm)")
    print("Installing Lighthouse and the Nu HTML checker", flush=True)
    wanted = [f"{name}@{version}" for name, version in VERSIONS.items()]
    quietly = ["--no-save", "--no-audit", "--no-fund", "--loglevel=error"]
    npm = subprocess.run(["npm", "install", *quietly, "--prefix", TOOLS, *wanted], capture_output=True, text=True)
    if npm.returncode:
        raise Missing(f"npm could not install {' and '.join(wanted)}: {npm.stderr.strip()}")


def _installed(name):
    package = TOOLS / "node_modules" / name / "package.json"
    return package.exists() and json.loads(package.read_text())["version"]


def check_html(all_seen, django_pages):
    """Return a Problem for each error in what was served; those in the django_pages (names) do not count."""
    if not shutil.which("java"):
        raise Missing("the Nu HTML checker: java is not installed (Debian: apt install default-jre-headless)")
    where, problems = {}, []
    with tempfile.TemporaryDirectory() as folder:
        for seen in all_seen:
            for html in seen.served:
                html = HTMX.sub("data-hx-", html)
                whole = html if html.lstrip().lower().startswith("<!doctype") else AROUND.format(html)
                name = f"{hashlib.sha256(whole.encode()).hexdigest()}.html"  # the same for several is checked once
                if name not in where:
                    Path(folder, name).write_text(whole)
                    where[name] = seen
        jar = TOOLS / "node_modules/vnu-jar/build/dist/vnu.jar"
        command = ["java", "-jar", jar, "--errors-only", "--format", "json", "--exit-zero-always"]
        nu = subprocess.run([*command, *(Path(folder, name) for name in where)], capture_output=True, text=True)
    try:
        messages = json.loads(nu.stderr)["messages"]
    except ValueError:
        raise Missing(f"the Nu HTML checker: {nu.stderr.strip()[:300]}") from None
    found = {}  # the same mistake on one page is told once
    for message in messages:
        seen = where[message.get("url", "").rpartition("/")[2]]
        what = re.sub("^Bad value “[^”]*”", "Bad value", message["message"])
        found.setdefault((seen.role, seen.page, what), []).append(message)
    for (role, page, what), all_of_them in found.items():
        extract = " ".join(all_of_them[0].get("extract", "").split())
        what = f"{what} In: {extract}" + f" (and {len(all_of_them) - 1} more)" * (len(all_of_them) > 1)
        problems.append(Problem(role, page, "Nu", what, counts=page not in django_pages))
    return problems


def ask_lighthouse(visit, address, session):
    """Return (scores as {category: 0 to 100}, a Problem for each audit that costs any of them) of a Visit's page."""
    role, name = visit.roles[0], visit.name
    if not shutil.which("node"):
        raise Missing("Lighthouse: node is not installed (Debian: apt install nodejs)")
    command = ["node", TOOLS / "node_modules/lighthouse/cli/index.js", address + visit.path, "--quiet", "--output=json"]
    command += [f"--only-categories={','.join(CATEGORIES)}", "--no-enable-error-reporting"]
    command += [f"--chrome-flags=--headless=new {' '.join(chromium.ARGS)}"]
    if session:
        command += [f"--extra-headers={json.dumps({'Cookie': f'{settings.SESSION_COOKIE_NAME}={session}'})}"]
    environment = {"CHROME_PATH": chromium.PATH, "PATH": os.environ["PATH"], "HOME": str(TOOLS)}
    lighthouse = subprocess.run(command, capture_output=True, text=True, env=environment)
    if lighthouse.returncode:
        raise Missing(f"Lighthouse, at {name}: {lighthouse.stderr.strip()[-300:]}")
    report = json.loads(lighthouse.stdout)
    scores, problems = {}, []
    for category in CATEGORIES:
        found = report["categories"][category]
        scores[category] = round(100 * (found["score"] or 0))
        if scores[category] == 100:
            continue
        for reference in found["auditRefs"]:
            audit = report["audits"][reference["id"]]
            if reference["weight"] and audit["score"] is not None and audit["score"] < 1:
                details = json.dumps(audit.get("details", {}).get("items", [])[:1])[:200]
                what = f"{category} {scores[category]}: {audit['id']}: {audit['title']} {details}"
                problems.append(Problem(role, name, "Lighthouse", what))
        problems = problems or [Problem(role, name, "Lighthouse", f"{category} {scores[category]}")]
    return scores, problems

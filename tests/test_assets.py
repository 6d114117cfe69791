"""What we take from packages is what its makers published, a page loads little, and nothing from another host."""

import base64
import gzip
import hashlib
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client

from directory import services as directory
from licensing import services
from portal.settings import STORAGES
from portal.static_build import cut, our_words
from tests.reading import read
from tests.worlds import TEST

# Bootstrap publishes this with its 5.3.8: the carrier package need not be trusted.
BOOTSTRAP = "sha384-sRIl4kxILFvY47J16cr9ZwB07vP4J8+LH7qKQnuqkuIAvNWLzeN8tE5YBujZqJLB"
TREE = Path(__file__).parent.parent


def test_bootstrap_is_the_published_one():
    content = Path(finders.find("css/bootstrap.min.css")).read_bytes()
    assert f"sha384-{base64.b64encode(hashlib.sha384(content).digest()).decode()}" == BOOTSTRAP


def test_templates_have_no_inline_script_or_style_and_name_no_other_host():
    wrong = []
    for path in (TREE / "templates").rglob("*.html"):
        text = path.read_text()
        for pattern in (
            r"\sstyle=",
            r"<style",
            r"<script(?![^>]*\ssrc=)",
            r"\son(?:click|change|input|submit|load|key\w+|mouse\w+)=",
            r"hx-on",
            r"hx-boost",
            r"https?://",
        ):
            wrong += [f"{path.relative_to(TREE)}: {found}" for found in re.findall(pattern, text)]
    assert wrong == []


def test_requirements_hold_hashes_and_no_addresses():
    for name in ("requirements.txt", "requirements-test.txt"):
        text = (TREE / name).read_text()
        assert "http" not in text
        packages = re.findall(r"^[\w.-]+==", text, flags=re.MULTILINE)
        assert len(packages) <= text.count("--hash=sha256:")


# Light to load -------------------------------------------------------------------------------------------------------


@pytest.fixture
def built(settings, tmp_path):
    """The folder of static files as an installation has them; browsers made after it are served from there."""
    settings.STORAGES, settings.STATIC_ROOT = STORAGES, tmp_path
    call_command("collectstatic", interactive=False, verbosity=0)
    return tmp_path


def first_visit(client, url):
    """Return what a browser loads that has nothing yet, compressed: {URL: response}, the page itself first."""
    page = client.get(url, headers={"Accept-Encoding": "gzip"})
    elements = read(gzip.decompress(page.content).decode())
    loaded = {link["href"]: {} for link in elements.all("link", rel="stylesheet")}
    loaded |= {script["src"]: {} for script in elements.all("script")}
    loaded |= {element["hx-get"]: {"HX-Request": "true"} for element in elements.all(hx_trigger="load")}
    return {url: page} | {
        part: client.get(part, headers={"Accept-Encoding": "gzip", **headers}) for part, headers in loaded.items()
    }


def test_a_first_visit_loads_at_most_60_kb(acme, built):
    for number in range(50):
        person = acme.person(f"Person {number}", email=f"person.{number}@acme.example")
        unit = directory.create_unit(acme.organization, name=f"Unit {number}", actor=TEST)
        directory.place_in_unit(unit, users=[person], actor=TEST)
        acme.assign(person)
    services.change_allocation(acme.allocation, seats=90, starts_at=acme.allocation.starts_at, ends_at=None, actor=TEST)
    license = f"/licenses/{acme.allocation.pk}/"
    member = acme.client()
    pages = ("/licenses/", license, "/users/", "/units/", "/activity/", "/organization/")

    visits = {url: first_visit(member, url) for url in pages}
    visits["/accounts/login/"] = first_visit(Client(), "/accounts/login/")

    loaded = {url: sum(len(answer.getvalue()) for answer in visit.values()) for url, visit in visits.items()}
    assert {url: size for url, size in loaded.items() if size > 60_000} == {}
    assert all(len(read(member.get(url)).rows) >= 50 for url in pages[1:4])
    assert f"{license}seats/" in visits["/licenses/"]


def test_files_are_named_by_their_content_and_kept_for_a_year(built, db):
    _, *files = first_visit(Client(), "/accounts/login/").items()

    names = {re.sub(r"\.[0-9a-f]{12}(?=\.\w+$)", "", url): url for url, _ in files}
    loaded = ("css/bootstrap.min.css", "portal.css", "django_htmx/htmx-2.min.js", "portal.js")
    assert names.keys() == {f"/static/{name}" for name in loaded}
    for url, answer in files:
        content = gzip.decompress(answer.getvalue())
        assert f".{hashlib.md5(content, usedforsecurity=False).hexdigest()[:12]}." in url
        kept = re.fullmatch(r"max-age=(\d+), public, immutable", answer["Cache-Control"])
        assert int(kept[1]) >= 365 * 24 * 60 * 60


def test_no_rule_is_cut_that_a_page_needs(acme, built, settings):
    settings.DEBUG = True  # /design/ shows every component in every state
    member, stranger = acme.client(), Client()
    accounts = [f"/accounts/{page}/" for page in ("email", "2fa", "password/change", "logout")]
    pages = [member.get(url) for url in ("/design/", "/design/narrow/", "/design/wide/", *accounts)]
    pages += [member.get(f"/licenses/{acme.allocation.pk}/"), member.get("/units/"), member.get("/no/such/page/")]
    pages += [member.post(f"/licenses/{acme.allocation.pk}/users/assign/"), stranger.post("/accounts/login/")]
    pages += [stranger.get(f"/accounts/password/reset/{step}") for step in ("", "done/", "key/1-no/")]

    elements = [element for page in pages for element in read(page).all()]
    used = {name for element in elements for name in element.attributes.get("class", "").split()}

    (served,) = built.glob("css/bootstrap.min.*[0-9a-f].css")
    published = Path(finders.find("css/bootstrap.min.css")).read_text()
    assert served.read_text() == cut(published, our_words() | used)
    assert used > {"alert-danger", "btn-primary", "form-check-input", "form-select", "is-invalid", "visually-hidden"}


def test_cutting_keeps_what_a_word_may_name():
    kept = ".btn:hover{top:0}.alert-info{top:1px}.gone,.btn{top:2px}.btn:not(.gone){top:3px}"
    kept += ".spin,.mark{top:4px}@keyframes spin{to{top:5px}}#mark{top:6px}"

    assert cut(f"{kept} .gone {{ top: 7px }} .btn.gone {{ top: 8px }}", {"btn", "alert-"}) == kept

"""The design language: pages are made of components, and components are what docs/design-language.md says."""

import re
from functools import cache
from pathlib import Path

from django.contrib.staticfiles import finders

from portal.templatetags import components as tags

PROJECT = Path(__file__).resolve().parent.parent
TEMPLATES = PROJECT / "templates"
COMPONENTS = {path.stem: path.read_text() for path in (TEMPLATES / "components").glob("*.html")}
TAGS = set(tags.register.tags) - {"component", "icon"}  # what a list repeats in every row
IN_PYTHON = Path(tags.__file__).read_text()
# What every page lies in. Its classes are its own.
FRAME = {
    "_brand_mark.html",
    "_fragment.html",
    "_head.html",
    "_modal.html",
    "_modal_wide.html",
    "_side.html",
    "_problem.html",
    "base.html",
}
FRAME |= {"allauth/layouts/entrance.html"}


def pages():
    for path in sorted(TEMPLATES.rglob("*.html")):
        name = path.relative_to(TEMPLATES)
        if name.parts[0] not in {"admin", "components"} and str(name) not in FRAME:
            yield str(name), path.read_text()


def classes_in(markup):
    """Return the class names that markup writes out; those put together from variables are not among them."""
    found = set()
    for value in re.findall(r'class="((?:[^"{]|{[{%].*?[%}]})*)"', markup):
        words = re.sub(r"{%.*?%}", " ", value)
        found.update(word for word in re.sub(r"\S*{{.*?}}\S*", " ", words).split() if not word.endswith("-"))
    return found


def used(markup):
    """Return the names of the components that markup uses."""
    found = re.findall(r'{% component "(\w+)"|components/(\w+)\.html|{% (\w+)', markup)
    return set().union(*found) & (set(COMPONENTS) | TAGS)


@cache
def styled():
    """Return the class names in our stylesheet."""
    css = re.sub(r"/\*.*?\*/", "", (PROJECT / "static/portal.css").read_text(), flags=re.DOTALL)
    return set(re.findall(r"\.([a-z][\w-]*)", css))


@cache
def bootstrap():
    return set(re.findall(r"\.([a-z][\w-]*)", Path(finders.find("css/bootstrap.min.css")).read_text()))


@cache
def documented():
    """Return the class names and the components that the document names."""
    text = (PROJECT / "docs/design-language.md").read_text()
    how, rest = text.split("## How a page is made")[1].split("## Values")
    rows = re.findall(r"^\| (.*?) \|", rest.split("## Components")[1].split("## Layout")[0], flags=re.MULTILINE)
    names = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    return set(re.findall(r"`([a-z-]+)`", how.split("```")[2])), names


def test_pages_are_composed_of_components_and_the_classes_that_the_document_allows():
    allowed, _ = documented()
    foreign = {name: classes_in(markup) - allowed for name, markup in pages()}
    assert {name: classes for name, classes in foreign.items() if classes} == {}


def test_pages_have_no_style_or_script_of_their_own():
    for name, markup in [*pages(), *COMPONENTS.items()]:
        assert not re.search(r"<style|<script|\sstyle=|\son(?!e=)\w+=", markup), name


def test_every_class_in_a_template_is_defined():
    written = {path: classes_in(path.read_text()) for path in TEMPLATES.rglob("*.html") if "admin" not in path.parts}
    written["tags"] = {word for value in re.findall(r'class="([^"]*)"', IN_PYTHON) for word in value.split()}
    written["tags"] = {word for word in written["tags"] if "{" not in word}
    undefined = {str(path): classes - styled() - bootstrap() for path, classes in written.items()}
    assert {path: classes for path, classes in undefined.items() if classes} == {}


def test_every_class_in_the_stylesheet_is_used():
    sources = [path.read_text() for path in TEMPLATES.rglob("*.html")]
    sources += [
        path.read_text() for name in ("directory", "licensing", "portal") for path in (PROJECT / name).rglob("*.py")
    ]
    sources += [(PROJECT / "static/portal.js").read_text()]
    words = set(re.findall(r"[\w-]+", " ".join(sources)))
    # Put together from what something is: of eight colors, of five kinds, of six states.
    words |= {f"av-{number}" for number in range(8)} | {
        f"avatar-{kind}" for kind in ("group", "unit", "license", "org")
    }
    words |= {f"avatar-{size}" for size in ("s", "l")} | {f"alert-{look}" for look in LOOKS} | {"htmx-request"}
    words |= {f"status-{state}" for state in ("live", "scheduled", "soon", "ended", "off", "over")}
    assert styled() - words == set()


LOOKS = ("info", "success", "warning", "danger")


def test_every_component_is_used_by_a_page():
    by_pages = set().union(*(used(markup) for name, markup in pages() if not name.startswith("design/")))
    by_pages |= set().union(*(used((TEMPLATES / name).read_text()) for name in FRAME))
    reached = set()
    while by_pages - reached:  # also through other components
        reached |= by_pages
        by_pages |= set().union(*(used(COMPONENTS[name]) for name in by_pages - TAGS))
    assert set(COMPONENTS) | TAGS == reached


def test_every_component_states_its_interface():
    for name, markup in COMPONENTS.items():
        comments = "".join(re.findall(r"{#(.*?)#}", markup))
        assert markup.startswith("{#"), name
        given = set(re.findall(r"{{ (\w+)[ .|]", markup)) - {"forloop"}
        made = set(re.findall(r" as (\w+) %}|{% with (\w+)=|{% for (\w+)(?:, (\w+))?(?:, (\w+))? in", markup))
        made = {word for words in made for word in words} | {"request"}
        assert not {word for word in given - made if not re.search(rf"\b{word}\b", comments)}, name


def test_every_component_is_described_and_shown_in_debug_only(client, settings, db):
    _, described = documented()
    assert described == set(COMPONENTS) | TAGS

    assert client.get("/design/").status_code == 404
    settings.DEBUG = True
    shown, html = set(), ""
    for url in ("/design/", "/design/narrow/", "/design/wide/"):
        response = client.get(url)
        assert response.status_code == 200
        html += response.content.decode()
        shown |= {template.name for template in response.templates if template.name}
        shown |= set().union(*(used(template.source) for template in response.templates))
    assert {f"components/{name}.html" for name in COMPONENTS} | TAGS <= shown
    # What tags and the row menu draw, each of their classes that is not put together from variables.
    drawn = set(re.findall(r'class="([^"{]*)"', IN_PYTHON))
    assert {value for value in drawn if f'class="{value}"' not in html} == set()

"""Reading a page as a person does: its tables, links and words; and all that the database holds."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

from django.apps import apps

SILENT = {"script", "style", "template"}
WITHIN_WORDS = {"mark", "b", "strong", "a"}
VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "rect", "circle", "path", "source", "wbr"}


@dataclass
class Element:
    tag: str
    attributes: dict
    children: list = field(default_factory=list)  # Elements and strings

    @property
    def text(self):
        """What it says to who listens, with single spaces: what is hidden from them is left out."""
        return " ".join("".join(self._strings()).split())

    def _strings(self):
        for child in self.children:
            if isinstance(child, str):
                yield child
            elif child.tag not in SILENT and child.attributes.get("aria-hidden") != "true":
                yield "" if child.tag in WITHIN_WORDS else " "
                yield from child._strings()
                yield "" if child.tag in WITHIN_WORDS else " "

    def all(self, *tags, **attributes):
        """Give the elements inside it with one of the tags (none: any) and the attributes (class_: one of its)."""
        for child in self.children:
            if isinstance(child, Element):
                if (not tags or child.tag in tags) and child.has(**attributes):
                    yield child
                yield from child.all(*tags, **attributes)

    def one(self, *tags, **attributes):
        (found,) = self.all(*tags, **attributes)
        return found

    def has(self, **attributes):
        return all(
            value in self.attributes.get("class", "").split()
            if name == "class_"
            else self.attributes.get(name.replace("_", "-")) == value
            for name, value in attributes.items()
        )

    def __getitem__(self, name):
        return self.attributes[name]

    @property
    def rows(self):
        """The cells of its tables' bodies as texts: [[cell, …], …]."""
        return [[cell.text for cell in row.all("td")] for body in self.all("tbody") for row in body.all("tr")]

    @property
    def names(self):
        """The text of the first link of each row."""
        return [next(row.all("td")).one("a").text for body in self.all("tbody") for row in body.all("tr")]

    def names_with(self, class_):
        """The texts of the links of that class in its tables."""
        return [link.text for body in self.all("tbody") for link in body.all("a", class_=class_)]

    @property
    def links(self):
        """Where its links lead, by their text; of the same text the last."""
        return {link.text: link.attributes.get("href") for link in self.all("a")}

    @property
    def buttons(self):
        return [button.text for button in self.all("button")]

    @property
    def alerts(self):
        """What it warns of, by the id of the text."""
        return {alert.attributes.get("id"): alert.text for alert in self.all(role="alert") if alert.text}

    @property
    def statuses(self):
        return [status.text for status in self.all("span", class_="status")]


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open = [Element("", {})]

    def handle_starttag(self, tag, attributes):
        element = Element(tag, {name: value or "" for name, value in attributes})
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attributes):
        self.open[-1].children.append(Element(tag, dict(attributes)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
            self.open.pop()

    def handle_data(self, data):
        self.open[-1].children.append(data)


def read(html):
    """Return a page (a response, or its text) as an Element; fails where a tag is not closed, or by the wrong one."""
    reader = _Reader()
    reader.feed(html if isinstance(html, str) else html.content.decode())
    reader.close()
    assert [element.tag for element in reader.open] == [""]
    return reader.open[0]


def everything():
    """Return what all tables hold, but for the sessions of who is signed in: {model: rows}."""
    return {
        model: list(model.objects.order_by("pk").values_list())
        for model in apps.get_models()
        if model._meta.label != "sessions.Session"
    }

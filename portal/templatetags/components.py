"""Components. Most are templates in templates/components/; those that a list repeats in every row are tags here.

A page has hundreds of these, and to include a template takes several times as long as to call a function.
"""

import re
from functools import cache, lru_cache

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma
from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.safestring import mark_safe
from heroicons.templatetags.heroicons import heroicon_outline

from .portal import highlight

register = template.Library()


@register.simple_block_tag(takes_context=True)
def component(context, content, called, **values):
    """A component that holds something: templates/components/<called>.html around it, which knows only the values.

    Those that hold nothing are included: {% include "components/<called>.html" with … only %}.
    """
    template = context.template.engine.get_template(f"components/{called}.html")
    return template.render(context.new({**values, "content": content}))


@register.simple_tag
def icon(name, small=False):
    """An outline icon, inline: it takes the color of the text and is silent, for the words beside it speak."""
    return _icon(str(name), small)


@cache
def _icon(name, small):
    look = {"class": "icon icon-s", "stroke_width": "1.8"} if small else {"class": "icon", "stroke_width": "1.6"}
    return heroicon_outline(name, size=None, aria_hidden="true", **look)


@register.simple_tag
def avatar(kind, name="", pk=0, active=True, size=""):
    """The sign before a name. kind: user, group, unit, organization or license. size: s, l or nothing.

    Of a user also: name and pk, for the letters and their color; active (given False: outlined).
    """
    if kind != "user":
        return _sign(kind, size)
    look = "avatar-off" if active is False else f"av-{_color(pk)}"
    return _avatar(look, size, _initials(name))


@cache
def _sign(kind, size):
    return _avatar("avatar-org" if kind == "organization" else f"avatar-{kind}", size, _icon(_SIGNS[kind], True))


_SIGNS = {"user": "user", "group": "user-group", "unit": "rectangle-group"}
_SIGNS |= {"organization": "building-office-2", "license": "key"}


def _avatar(look, size, content):
    return format_html(
        '<span class="avatar {}{}" aria-hidden="true">{}</span>', look, size and f" avatar-{size}", content
    )


def _initials(name):
    """ "Noor de Smet" -> "NS"."""
    words = [word for word in name.split() if word[0].isalnum()] or ["?"]
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


def _color(pk):
    """One of the eight colors, the same for the same person for ever."""
    return int(pk) * 2654435761 % 2**32 // 2**29


@register.simple_tag
def status(look, text):
    """In what state something is. look: live, scheduled, soon, ended, off or over. text: what it says."""
    return format_html('<span class="status status-{}">{}</span>', look, text)


@register.simple_tag
def person_status(is_active):
    """Whether a user is active."""
    return _ACTIVE if is_active else _INACTIVE


_ACTIVE, _INACTIVE = status("live", "Active"), status("off", "Inactive")


@register.simple_tag(takes_context=True)
def tick(context, pk, name, ticked=None):
    """The checkbox of a row. ticked: page; or all, which is for good; else what the address says of all (tick=page)."""
    ticked = context.request.GET.get("tick") if ticked is None else ticked
    return format_html(
        '<label class="tick"><input class="form-check-input" type="checkbox" name="things" value="{}"'
        ' aria-label="Select {}"{}></label>',
        pk,
        name,
        " checked disabled" if ticked == "all" else " checked" if ticked else "",
    )


@register.simple_block_tag
def who(content, shape, name, view, *keys, active=True, q=""):
    """The first cell of a row: the sign and the name, which leads to the thing; content: a second line, as span.sub.

    shape: as kind of an avatar, which has active too. view, keys: of its page. q: what is searched for, to be marked.
    """
    return format_html(
        '<span class="who">{}<span><a href="{}">{}</a>{}</span></span>',
        avatar(shape, name, keys[-1], active),
        _address(view, keys),
        highlight(name, q),
        content,
    )


@register.simple_tag
def source(kind, label, view="", *keys, people=None):
    """The path by which somebody is reached. kind: as of an avatar; a user's is direct.

    view, keys: of the page where it can be changed, if that is elsewhere. people: how many, if that is said.
    """
    sign, number = _icon(_SIGNS[kind], True), ""
    if people is not None:
        words = intcomma(people), "person" if people == 1 else "people"
        number = format_html('<span class="muted num">{}<span class="visually-hidden"> {}</span></span>', *words)
    if not view:
        return format_html('<span class="source">{}{}{}</span>', sign, label, number)
    return format_html('<a class="source" href="{}">{}{}{}</a>', _address(view, keys), sign, label, number)


@register.simple_tag
def policy(policy, optional=False, off=False):
    """What a source gives. optional: it was (or can be) chosen. off: it is not in effect."""
    look = " policy-off" if off else " policy-optional" if optional else ""
    title = format_html(' title="{}"', policy.description) if policy.description else ""
    said = mark_safe('<span class="visually-hidden"> (optional)</span>') if optional else ""
    return format_html('<span class="policy{}"{}>{}{}</span>', look, title, policy, said)


@register.simple_tag
def name(text, view, *keys):
    """What a row is called, or names: a link to the thing's page."""
    return format_html('<a class="name" href="{}">{}</a>', _address(view, keys), text)


@register.simple_tag
def tree_cell(row, kept=""):
    """The first cell of the unit tree. Its toggle is a link, for what is open lies in the URL.

    row: a directory.trees.TreeRow. kept: what else is in the URL and stays there.
    """
    pk, unit = row.unit.pk, escape(row.unit)
    rails = "".join(f'<span class="tree-rail {rail}"></span>' for rail in row.rails)
    toggle = '<span class="tree-toggle tree-leaf"></span>'
    if row.has_children:
        url = escape("?" + "&".join([*filter(None, [kept]), *(f"open={each}" for each in row.toggled)]))
        toggle = (
            f'<a class="tree-toggle" id="toggle-{pk}" href="{url}" hx-get="{url}" hx-target="#found" hx-select="#found"'
            f' hx-swap="outerHTML" hx-replace-url="true" aria-expanded="{"true" if row.is_open else "false"}"'
            f' aria-label="Units below {unit}">{_icon("chevron-down", False)}</a>'
        )
    above = f'<span class="visually-hidden"> in {escape(row.above)}</span>' if row.above else ""
    link = name(row.unit, "directory:unit_detail", pk)
    return mark_safe(  # noqa: S308 all of it is escaped
        f'<span class="tree">{rails}{toggle}<span class="tree-name">{_sign("unit", "s")}'
        f"<span>{link}{above}</span></span></span>"
    )


class RowMenu:
    """The three dots of a row: what can be done with it, each a line that opens a modal. What removes comes last.

    Written in Python, for a list has hundreds of lines. licensing/templatetags/menus.py has those of the portal.
    """

    def __init__(self, here, thing, key):
        """here: address of the page, quoted; without JavaScript, where a modal is a page, it leads back to this one.

        thing: what the row is about. key: tells the menu from all others of the page, for the focus to come back to.
        """
        self._here, self._thing, self._key, self._lines = here, thing, key, []

    def opens(self, label, icon_name, view, *keys):
        """Add a line that opens the modal of a view."""
        self._lines.append(f"<li>{self._modal(label, icon_name, view, keys)}</li>")

    def removes(self, label, icon_name, view, *keys):
        """Add a line that opens the modal of a view, in which something is taken away."""
        self._lines.append(f'<li class="menu-loss">{self._modal(label, icon_name, view, keys)}</li>')

    def leads(self, label, icon_name, address):
        """Add a line that is a link to a page."""
        self._lines.append(format_html('<li><a href="{}">{}{}</a></li>', address, _icon(icon_name, False), label))

    def _modal(self, label, icon_name, view, keys):
        return _link_to_modal(label, icon_name, view, _words(keys)).format(*keys, next=self._here)

    def __str__(self):
        thing = escape(self._thing)
        return mark_safe(  # noqa: S308 all of it is escaped
            '<details class="row-menu" name="row-menu">'
            f'<summary id="menu-{escape(self._key)}" aria-label="Actions for {thing}">{_DOTS}</summary>'
            f'<ul class="menu"><li class="menu-title" aria-hidden="true">{thing}</li>'
            f"{''.join(self._lines)}</ul></details>"
        )

    __html__ = __str__


_DOTS = _icon("ellipsis-horizontal", False)


@lru_cache(maxsize=1024)  # not without end, for a label may name a thing
def _link_to_modal(label, icon_name, view, words):
    """Return a link with {next} and the fields of _route left open, for these alone tell most of them apart."""
    said = escape(label).replace("{", "{{").replace("}", "}}")
    url = _route(view, words)
    return f'<a href="{url}?next={{next}}" hx-get="{url}" hx-target="#modal">{_icon(icon_name, False)}{said}</a>'


def _address(view, keys):
    """Return the address of a view: as {% url %}, which takes a third of a page where each row has a dozen."""
    return _route(view, _words(keys)).format(*keys)


def _words(keys):
    """Return the keys with int in place of the numbers, which are what changes from row to row."""
    return tuple(int if isinstance(key, int) else key for key in keys)


@lru_cache(maxsize=1024)
def _route(view, words):
    """Return the address of a view with the words among its keys, and {0}, {1} … where a number stands in their place.

    Ten digits stand for each number, which no path has of its own.
    """
    path = reverse(view, args=[10**9 + position if word is int else word for position, word in enumerate(words)])
    return re.sub(r"\d{10}", lambda digits: f"{{{int(digits[0]) - 10**9}}}", path)

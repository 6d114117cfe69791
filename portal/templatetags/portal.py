import re
from functools import cache, lru_cache

from django import template
from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.safestring import mark_safe
from heroicons.templatetags.heroicons import heroicon_outline

from portal import days
from portal.text import fold

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


@cache  # a list with menus has hundreds
def _icon(name, small):
    look = {"class": "icon icon-s", "stroke_width": "1.8"} if small else {"class": "icon", "stroke_width": "1.6"}
    return heroicon_outline(name, size=None, aria_hidden="true", **look)


@register.simple_tag(takes_context=True)
def menu_item(context, label, icon_name, view, *keys):
    """A line of a row menu, which opens the modal of a view; as a page, without JavaScript, it leads back to this one.

    No template of its own: a page has hundreds, and to reverse a URL and include a file in each takes thrice as long.
    """
    url = _route(view, len(keys)).format(*keys)
    line = '<a href="{0}?next={1}" hx-get="{0}" hx-target="#modal">{2}{3}</a>'
    return format_html(line, url, context["here"], _icon(icon_name, small=False), label)


@cache
def _route(view, number):
    """Return the path of a view with {} for each of its keys: to reverse it for every line took a third of a page.

    The keys are numbers, or words that need no quoting. Ten digits stand for each, which no path has of its own.
    """
    return re.sub(r"\d{10}", "{}", reverse(view, args=range(10**9, 10**9 + number)))


@register.filter
def initials(name):
    """ "Noor de Smet" -> "NS"."""
    words = [word for word in name.split() if word[0].isalnum()] or ["?"]
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


@register.filter
def avatar_color(pk):
    """One of the eight colors, the same for the same person for ever."""
    return int(pk) * 2654435761 % 2**32 // 2**29


@register.filter
def last_day(instant):
    """The last day of what ends at the instant."""
    return days.last_day(instant)


@register.filter
def browser(user_agent):
    """What a browser calls itself, in words: "Firefox on Windows"."""
    program = next((name for sign, name in _BROWSERS if sign in user_agent), "A browser")
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), "")
    return f"{program} on {system}" if system else program


# The order matters: nearly all say that they are Safari too, and most that they are Chrome.
_BROWSERS = [("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("FxiOS/", "Firefox")]
_BROWSERS += [("CriOS/", "Chrome"), ("Chrome/", "Chrome"), ("Safari/", "Safari")]
_SYSTEMS = [("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows")]
_SYSTEMS += [("Mac OS X", "Mac"), ("CrOS", "ChromeOS"), ("Linux", "Linux")]


@register.filter
def get(mapping, key):
    """What a dict has under a key that is itself a variable."""
    return mapping.get(key)


@lru_cache(maxsize=4096)  # the letters of a few scripts: a page with hits has thousands
def _fold_character(character):
    return " " if character.isspace() else fold(character)


@register.filter
def highlight(text, query):
    """Mark the parts of text that the words of a search match, as the search compares: without case and accents."""
    text = str(text)
    if not query:
        return escape(text)
    pieces = [_fold_character(character) for character in text]
    # Where each character of the folded text comes from, for folding can change lengths (ß, ﬁ).
    origin = [position for position, piece in enumerate(pieces) for _ in piece]
    folded = "".join(pieces)
    marked = set()
    for word in fold(query).split():
        start = folded.find(word)
        while start >= 0:
            marked.update(origin[start : start + len(word)])
            start = folded.find(word, start + len(word))
    parts, position = [], 0
    while position < len(text):
        end = position + 1
        while end < len(text) and (end in marked) == (position in marked):
            end += 1
        part = escape(text[position:end])
        parts.append(f"<mark>{part}</mark>" if position in marked else part)
        position = end
    return mark_safe("".join(parts))  # noqa: S308 every part is escaped

from functools import lru_cache

from django import template
from django.utils.html import escape
from django.utils.safestring import mark_safe

from portal import days
from portal.text import fold

register = template.Library()


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
    pieces = text.lower() if text.isascii() else [_fold_character(character) for character in text]
    # Where each character of the folded text comes from, for folding can change lengths (ß, ﬁ).
    origin = [position for position, piece in enumerate(pieces) for _ in piece]
    folded = "".join(pieces)
    marked = set()
    for word in fold(query).split():
        start = folded.find(word)
        while start >= 0:
            marked.update(origin[start : start + len(word)])
            start = folded.find(word, start + len(word))
    if not marked:
        return escape(text)
    parts, position = [], 0
    while position < len(text):
        end = position + 1
        while end < len(text) and (end in marked) == (position in marked):
            end += 1
        part = escape(text[position:end])
        parts.append(f"<mark>{part}</mark>" if position in marked else part)
        position = end
    return mark_safe("".join(parts))  # noqa: S308 every part is escaped

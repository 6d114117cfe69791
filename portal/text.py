import unicodedata


def fold(text):
    """Return text for comparing and sorting: casefolded, without accents, single spaces (str -> str).

    Every sort_key and search_text is made by it, and every search word goes through it, so that "Müller",
    "MULLER" and "muller" find each other on every database, whatever its collation.
    """
    decomposed = unicodedata.normalize("NFKD", text)
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).casefold().split())


def one_line(text):
    """Return text without line breaks and other control characters, single spaces: what a name may hold."""
    return " ".join("".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text).split())


def join_words(words, *, last="and"):
    """Return words as English joins them: "a", "a and b", "a, b and c"."""
    words = [str(word) for word in words]
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def join_some(words, *, count=None, limit=3, last="and"):
    """Return up to `limit` words and how many more there are: "a, b, c and 9 more" (count: how many in all)."""
    words = list(words)
    count = len(words) if count is None else count
    shown = words[:limit]
    if count > len(shown):
        shown.append(f"{count - len(shown):,} more")
    return join_words(shown, last=last)


def count_words(count, one, many):
    """Return how many there are, in words: "1 person", "1,200 people"."""
    return f"{count:,} {one if count == 1 else many}"


def web_address(url):
    """Return the URL if a link may lead there: a script in its place would run as whoever follows it."""
    return url if url.lower().startswith(("https://", "http://")) else ""

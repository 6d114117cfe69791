"""How often a token may ask: counted in the database for all processes, without a write for each question.

Each process counts by itself and adds what it counted to the shared number once a second, so that a limit may be
exceeded by what is asked within one second. The same write says when the token was last used.
"""

from dataclasses import dataclass
from datetime import timedelta
from threading import Lock
from time import monotonic, time

from django.conf import settings
from django.db import connection
from django.db.models import Q

from licensing.models import ProviderToken, ProviderTokenUse

SECOND, MINUTE = 1, 60


class TooMany(Exception):
    """It has asked too often in this minute. retry_after: seconds until the next."""

    def __init__(self, retry_after):
        super().__init__(retry_after)
        self.retry_after = retry_after


@dataclass
class _Count:
    minute: int
    shared: int = 0  # what all processes together had asked when it was last looked
    own: int = 0  # since then, by this one
    looked_at: float = 0


_counts: dict[str, _Count] = {}  # by digest
_lock = Lock()


def require(digest):
    """Raise TooMany while the limit of the minute is known to be reached, without a question to the database."""
    minute, second = divmod(int(time()), MINUTE)
    count = _counts.get(digest)
    if count and count.minute == minute and count.shared + count.own >= settings.DECISIONS_PER_MINUTE:
        raise TooMany(MINUTE - second)


def count(digest, token, at):
    """Count one request of a token (its pk)."""
    minute = int(time()) // MINUTE
    with _lock:
        known = _counts.get(digest)
        if known is None or known.minute != minute:
            known = _counts[digest] = _Count(minute)
        known.own += 1
        if monotonic() - known.looked_at < SECOND:
            return
        known.looked_at, number, known.own = monotonic(), known.own, 0
    known.shared = _add(token, minute, number, at)


def _add(token, minute, number, at):
    """Add to the number of a token's requests in the minute; return that of all processes."""
    use = ProviderTokenUse._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO {use} AS u (token_id, minute, number) VALUES (%s, %s, %s)
            ON CONFLICT (token_id) DO UPDATE SET minute = excluded.minute,
            number = excluded.number + CASE WHEN u.minute = excluded.minute THEN u.number ELSE 0 END
            RETURNING number""",
            [token, minute, number],
        )
        (shared,) = cursor.fetchone()
    is_old = Q(last_used_at=None) | Q(last_used_at__lt=at - timedelta(minutes=1))
    ProviderToken.objects.filter(is_old, pk=token).update(last_used_at=at)
    return shared

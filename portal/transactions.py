from dataclasses import dataclass
from functools import wraps

from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, transaction

DEADLOCK = "40P01"  # PostgreSQL's code for it
CHANGED_MEANWHILE = "Somebody changed this at the same moment. Nothing was saved. Look again, then try once more."


@dataclass(frozen=True)
class Done:
    """What became of one of many: what its service returned, or why it was refused."""

    thing: object
    result: object = None
    error: ValidationError | None = None

    @property
    def refusal(self):
        """Why not, in words; empty when it was done."""
        return " ".join(self.error.messages) if self.error else ""


def one_transaction(service):
    """Run a service in one transaction; what the database refuses becomes a ValidationError.

    The constraints of data from two organizations, and of rows that vanished meanwhile, are deferred: they speak
    at COMMIT, after the service's own code. So the word for them is found here, where the transaction ends; as for two
    who wait for each other, of whom PostgreSQL ends one: rows that go with others are locked in no order of ours.
    """

    @wraps(service)
    def wrapper(*args, **kwargs):
        try:
            with transaction.atomic():
                return service(*args, **kwargs)
        except IntegrityError as error:
            raise ValidationError(CHANGED_MEANWHILE, code="changed") from error
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") != DEADLOCK:
                raise
            raise ValidationError(CHANGED_MEANWHILE, code="changed") from error

    return wrapper


@one_transaction
def do_each(things, act, *, rehearsed=False):
    """Do something with each of many (act: a function of one, that calls a service); returns [Done].

    What a rule refuses is left as it was and the others go through, in one transaction. rehearsed: nothing is kept, so
    that one sees what would become of each; rules that look at what was done before are asked as they will be.
    """
    done = []
    for thing in things:
        try:
            done.append(Done(thing, one_transaction(act)(thing)))
        except ValidationError as error:
            done.append(Done(thing, error=error))
    if rehearsed:
        transaction.set_rollback(True)
    return done

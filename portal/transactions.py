from functools import wraps

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

CHANGED_MEANWHILE = "Somebody changed this at the same moment. Nothing was saved. Look again, then try once more."


def one_transaction(service):
    """Run a service in one transaction; what the database refuses becomes a ValidationError.

    The constraints of data from two organizations, and of rows that vanished meanwhile, are deferred: they speak
    at COMMIT, after the service's own code. So the word for them is found here, where the transaction ends.
    """

    @wraps(service)
    def wrapper(*args, **kwargs):
        try:
            with transaction.atomic():
                return service(*args, **kwargs)
        except IntegrityError as error:
            raise ValidationError(CHANGED_MEANWHILE, code="changed") from error

    return wrapper

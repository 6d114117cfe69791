"""Mail goes into a table with the act it tells of, and out by `manage.py work`: nothing is lost, without a broker."""

from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.template.loader import get_template
from django.utils import timezone

from portal.text import one_line

from .models import Mail

AGAIN = [timedelta(minutes=m) for m in (1, 5, 30, 120, 480, 1440)]  # after each attempt that failed
KEPT = timedelta(days=30)
MANY = 10_000  # keys in one statement


def queue_mail(template, *, to, key=None, **context):
    """Put a mail to each address into the outbox; call it inside the service's transaction.

    template: name of a text, whose first line is the subject. to: addresses, or {address: what it alone is told}.
    key: what it tells, where that shall be said to nobody twice; who was told is left out. context: for the template,
    which also knows `portal`, our address.
    """
    text, own = get_template(template), to if isinstance(to, dict) else dict.fromkeys(to, {})
    mails = []
    for each, told in own.items():
        words = text.render({"portal": settings.PORTAL_URL, **context, **told}).strip()
        subject, _, body = words.partition("\n")
        subject = one_line(subject)[:250]  # whatever the names in it hold
        mails.append(Mail(to=each, subject=subject, body=body.strip() + "\n", key=_key(key, each)))
    Mail.objects.bulk_create(mails, batch_size=1000, ignore_conflicts=key is not None)


def untold(addresses):
    """Return {key: addresses} without those whom queue_mail() would leave out, for they were told before."""
    keys = [_key(key, each) for key, some in addresses.items() for each in some]
    told = set()
    for start in range(0, len(keys), MANY):
        told.update(Mail.objects.filter(key__in=keys[start : start + MANY]).values_list("key", flat=True))
    return {key: [each for each in some if _key(key, each) not in told] for key, some in addresses.items()}


def _key(key, address):
    return key and f"{key}:{address}"


def deliver(limit=100):
    """Send up to `limit` mails that are due; returns how many were tried.

    Each is claimed before it is sent, so that two processes do not send it twice and no lock waits for a mail server.
    Whoever dies in between leaves it to the next attempt.
    """
    tried = 0
    if not _due().exists():  # asked every second: without a lock
        return tried
    connection = get_connection()
    while tried < limit and (mail := _claim()):
        tried += 1
        try:
            connection.open()  # once for all, unless it broke
        except OSError as error:  # none of the others would go out either
            Mail.objects.filter(pk=mail.pk).update(error=str(error)[:250])
            break
        try:
            EmailMessage(mail.subject, mail.body, to=[mail.to], connection=connection).send()
        except (OSError, ValueError) as error:  # what smtplib and sockets raise; and what no mail can be made of
            Mail.objects.filter(pk=mail.pk).update(error=str(error)[:250])
            connection.close()
        else:
            Mail.objects.filter(pk=mail.pk).update(sent_at=timezone.now(), body="", error="")
    connection.close()
    return tried


def forget():
    """Delete what was sent, or given up, a month ago. What has a key stays, lest it be said again."""
    Mail.objects.filter(created_at__lt=timezone.now() - KEPT, key=None).delete()


def _due():
    return Mail.objects.filter(sent_at=None, due_at__lte=timezone.now(), attempts__lte=len(AGAIN))


@transaction.atomic
def _claim():
    """Return the next mail that is due, with its next attempt put off; None where there is none."""
    mail = _due().select_for_update(skip_locked=True).order_by("due_at", "pk").first()
    if mail:
        mail.due_at = timezone.now() + AGAIN[min(mail.attempts, len(AGAIN) - 1)]
        mail.attempts += 1
        mail.save(update_fields=["attempts", "due_at"])
    return mail

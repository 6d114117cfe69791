"""Mail that is written with an act, and leaves by `manage.py work`."""

from datetime import timedelta

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from portal.outbox.models import Mail
from portal.outbox.post import AGAIN, KEPT, deliver, queue_mail

pytestmark = pytest.mark.django_db
TEMPLATE = "account/email/password_reset_key_message.txt"


def write(*to, **values):
    queue_mail(TEMPLATE, to=to or ["ada@acme.example"], **values)


def test_a_mail_leaves_once_and_its_text_is_forgotten():
    write("ada@acme.example", "eva@acme.example")
    assert mail.outbox == []
    call_command("work", "--once")
    call_command("work", "--once")
    assert sorted(each.to[0] for each in mail.outbox) == ["ada@acme.example", "eva@acme.example"]
    assert all(each.subject and each.body for each in mail.outbox)
    assert list(Mail.objects.values_list("body", flat=True)) == ["", ""]


def test_an_act_that_is_undone_sends_nothing():
    with transaction.atomic():
        write()
        transaction.set_rollback(True)
    assert not Mail.objects.exists()


def test_what_has_a_key_is_said_to_each_once():
    write("ada@acme.example", key="ends:1:30")
    write("ada@acme.example", "eva@acme.example", key="ends:1:30")
    assert list(Mail.objects.order_by("pk").values_list("to", flat=True)) == ["ada@acme.example", "eva@acme.example"]


def test_a_server_that_does_not_answer_is_tried_again_later_and_not_for_ever(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9  # where nobody listens
    write()
    assert deliver() == 1
    letter = Mail.objects.get()
    assert letter.sent_at is None
    assert "refused" in letter.error
    assert deliver() == 0
    for _ in AGAIN:
        Mail.objects.update(due_at=timezone.now())
        assert deliver() == 1
    Mail.objects.update(due_at=timezone.now())
    assert deliver() == 0


def test_a_month_later_it_is_gone_but_for_what_may_not_be_said_again():
    write()
    write(key="ends:1:30")
    Mail.objects.update(created_at=timezone.now() - KEPT - timedelta(days=1), sent_at=timezone.now())
    call_command("work", "--once")
    assert list(Mail.objects.values_list("key", flat=True)) == ["ends:1:30:ada@acme.example"]

"""Mail that is written with an act, and leaves by `manage.py work`."""

from datetime import timedelta

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import connection, transaction
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


def test_a_server_that_does_not_answer_costs_one_of_many_an_attempt(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9  # where nobody listens
    write("ada@acme.example", "eva@acme.example", "vic@acme.example")
    assert deliver() == 1
    assert sorted(Mail.objects.values_list("attempts", flat=True)) == [0, 0, 1]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_background_process_goes_on_when_the_database_was_away():
    write()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    finally:
        other.close()

    call_command("work", "--once")

    assert [each.to for each in mail.outbox] == [["ada@acme.example"]]


def test_a_month_later_it_is_gone_but_for_what_may_not_be_said_again():
    write()
    write(key="ends:1:30")
    Mail.objects.update(created_at=timezone.now() - KEPT - timedelta(days=1), sent_at=timezone.now())
    call_command("work", "--once")
    assert list(Mail.objects.values_list("key", flat=True)) == ["ends:1:30:ada@acme.example"]


def test_a_mail_that_cannot_be_made_stops_no_other():
    write("ada@acme.example\nBcc: all@acme.example", "eva@acme.example")
    call_command("work", "--once")
    assert [each.to for each in mail.outbox] == [["eva@acme.example"]]
    assert Mail.objects.get(sent_at=None).error


def test_a_name_with_line_breaks_makes_no_header_and_no_long_subject(tmp_path, settings):
    (tmp_path / "hello.txt").write_text(
        "{% autoescape off %}{{ name }} invites you{% endautoescape %}\n\nHello {{ each }}"
    )
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    for name in ("Ada\rBcc: all@acme.example", "Ada\u2028Bcc: all@acme.example", "Ada " * 100):
        queue_mail("hello.txt", to={"eva@acme.example": {"each": "Eva"}}, name=name)
    call_command("work", "--once")
    assert mail.outbox[0].subject == "Ada Bcc: all@acme.example invites you"
    assert mail.outbox[1].subject == "Ada Bcc: all@acme.example invites you"
    assert len(mail.outbox[2].subject) == 250
    assert {each.body for each in mail.outbox} == {"Hello Eva\n"}

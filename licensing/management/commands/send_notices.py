from django.core.management.base import BaseCommand
from django.utils import timezone

from licensing.services import send_notices
from portal.text import count_words


class Command(BaseCommand):
    help = "Writes mails about allocations that end soon or are over their seats. Run it daily: it repeats nothing."

    def handle(self, **options):
        told = send_notices(at=timezone.now())
        self.stdout.write(f"Told of {count_words(told, 'allocation', 'allocations')}.")

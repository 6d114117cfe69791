import os
import time

from django.core.management.base import BaseCommand
from django.db import close_old_connections

from portal.outbox.post import deliver, forget

PAUSE = 1  # second, when there was nothing to do


class Command(BaseCommand):
    help = "Does what no request waits for, until it is stopped: sends mail."

    def add_arguments(self, parser):
        parser.add_argument("--once", action="store_true", help="do what there is, then end")

    def handle(self, *, once, **options):
        parent = os.getppid()
        forget()
        while True:
            if deliver():
                continue
            if once or os.getppid() != parent:  # whoever started it is gone
                return
            close_old_connections()
            time.sleep(PAUSE)

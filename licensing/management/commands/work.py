import logging
import os
import time

from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django.utils import timezone

from directory.imports.running import forget_imports, run_imports
from portal.outbox.post import deliver, forget

PAUSE = 1  # second, when there was nothing to do
BREATH = 0.1  # seconds after rows were imported: whoever waits for SQLite's one writer asks that often

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Does what no request waits for, until it is stopped: sends mail, imports users."

    def add_arguments(self, parser):
        parser.add_argument("--once", action="store_true", help="do what there is, then end")

    def handle(self, *, once, **options):
        parent = os.getppid()
        tidied = None
        while os.getppid() == parent:  # else whoever started it is gone
            try:
                if tidied != (today := timezone.now().date()):
                    forget()
                    forget_imports()
                    tidied = today
                # Some of each in turn: mail does not wait for a long import, nor that for mail.
                sent, imported = deliver(), run_imports()
            except (OperationalError, InterfaceError):  # the database is restarted, or busy for too long
                logger.exception("the database did not answer")
                connection.close()
                time.sleep(PAUSE)
                continue
            if imported:
                time.sleep(BREATH)
            if sent or imported:
                continue
            if once:
                return
            close_old_connections()
            time.sleep(PAUSE)

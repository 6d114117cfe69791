"""Activity: every act is a sentence, and only to who may read it."""

import re
from datetime import UTC, datetime

from django.utils import timezone

from directory import services as directory
from licensing import services
from licensing.kinds import GROUPS, ORGANIZATION, UNITS, USERS
from portal.audit.log import Actor
from portal.audit.models import AuditEntry
from portal.days import write_day
from tests.reading import read
from tests.worlds import license_of


def test_every_act_is_a_sentence_newest_first(acme, catalogue):
    ada = Actor("account", acme.admin.account.pk, "Ada Admin")
    optional = [catalogue.export, catalogue.administration]
    new = directory.create_user(acme.organization, name="Noor", actor=ada)
    team = directory.create_group(acme.organization, name="Team", actor=ada)
    nordics = directory.create_unit(acme.organization, name="Nordics", actor=ada)
    directory.join_group(team, users=[new], actor=ada)
    directory.leave_group(team, users=[new], actor=ada)
    directory.place_in_unit(nordics, users=[new], actor=ada)
    directory.leave_unit(nordics, users=[new], actor=ada)
    directory.move_unit(nordics, parent=acme.unit, actor=ada)
    directory.move_unit(nordics, parent=None, actor=ada)
    to = {"actor": ada, "policies": [catalogue.export]}
    services.assign(acme.allocation, kind=USERS, assignees=[new], **to)
    services.assign(acme.allocation, kind=GROUPS, assignees=[team], actor=ada)
    services.assign(
        acme.allocation,
        kind=UNITS,
        assignees=[nordics],
        starts_at=datetime(2090, 1, 1, tzinfo=UTC),
        ends_at=datetime(2090, 2, 1, tzinfo=UTC),
        **to,
    )
    services.assign(acme.allocation, kind=ORGANIZATION, assignees=[acme.organization], actor=ada)
    mine = acme.allocation.assignments.get(user=new)
    services.set_policies(mine, policies=[catalogue.administration], actor=ada)
    services.set_dates(mine, starts_at=None, ends_at=datetime(2090, 6, 1, tzinfo=UTC), actor=ada)
    services.set_dates(mine, starts_at=None, ends_at=None, actor=ada)
    services.unassign(mine, actor=ada)
    services.change_allocation(
        acme.allocation, seats=25, starts_at=datetime(2026, 1, 1, tzinfo=UTC), ends_at=None, actor=ada
    )
    services.cancel(acme.allocation, actor=ada)
    services.reinstate(acme.allocation, actor=ada)
    services.set_license_policies(
        catalogue.professional, default=[catalogue.reading, catalogue.export], optional=optional[1:], actor=ada
    )
    suite = license_of(catalogue, "Suite")
    services.allocate(
        suite, organization=acme.organization, seats=1, starts_at=datetime(2026, 1, 1, tzinfo=UTC), actor=ada
    )
    acts = AuditEntry.objects.filter(organization_id=acme.organization.pk, actor_name="Ada Admin").count()

    page = read(acme.client(acme.viewer).get("/activity/"))

    listed = page.one("ul", class_="acts")
    signs = [sign.children[0] for sign in listed.all("span", class_="sign")]
    said = [re.sub(r" \d+ \w+ \d{4}, \d\d:\d\d$", "", act.text) for act in listed.all("li")]
    assert list(zip(signs, said, strict=True))[:acts][::-1] == [
        ("·", "Ada Admin added Noor to the directory"),
        ("·", "Ada Admin created group Team"),
        ("·", "Ada Admin created unit Nordics"),
        ("+", "Ada Admin added Noor to group Team"),
        ("−", "Ada Admin removed Noor from group Team"),
        ("+", "Ada Admin placed Noor in unit Nordics"),
        ("−", "Ada Admin removed Noor from unit Nordics"),
        ("·", "Ada Admin moved unit Nordics from the top level to Sales"),
        ("·", "Ada Admin moved unit Nordics from Sales to the top level"),
        ("+", "Ada Admin assigned CRM Professional to Noor, with CRM export"),
        ("+", "Ada Admin assigned CRM Professional to group Team"),
        (
            "+",
            "Ada Admin assigned CRM Professional to unit Nordics, with CRM export, from 1 Jan 2090 until 31 Jan 2090",
        ),
        ("+", "Ada Admin assigned CRM Professional to the whole organization"),
        ("·", "Ada Admin added CRM administration and removed CRM export for Noor with CRM Professional"),
        ("·", "Ada Admin changed the dates of CRM Professional for Noor: until 31 May 2090"),
        ("·", "Ada Admin changed the dates of CRM Professional for Noor: no dates of its own"),
        ("−", "Ada Admin unassigned CRM Professional from Noor"),
        (
            "·",
            "Northlight changed the allocation of CRM Professional: 25 seats in place of no limit;"
            f" first day 1 Jan 2026 in place of {write_day(timezone.now().date())}; nobody gained or lost anything",
        ),
        ("−", "Northlight cancelled the allocation of CRM Professional; 5 people lost CRM Professional"),
        ("+", "Northlight reinstated the allocation of CRM Professional; 5 people gained CRM Professional"),
        (
            "+",
            "Northlight changed the policies of CRM Professional: made CRM export default; 5 people gained CRM export",
        ),
        ("+", "Northlight allocated Suite: 1 seat, from 1 Jan 2026"),
    ]
    assert not said[acts].startswith("Ada")


def test_the_activity_of_another_organization_is_not_shown(acme, globex):
    globex.assign(globex.group)

    assert "assigned" not in read(acme.client().get("/activity/")).one("ul", class_="acts").text

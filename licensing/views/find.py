"""Find: people, groups, units, licenses and pages by parts of their names; also what to assign, and whom to add to."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from directory.decorators import viewer_required
from directory.trees import unit_paths, write_path
from licensing.kinds import USERS
from licensing.states import State, Status
from portal.lists import clean_query, matching
from portal.navigation import Page, navigation_of
from portal.text import count_words, fold

SHOWN = 5  # of each kind
TITLES = {"": "Find", "assign": "Assign which license?", "add": "Add people to which group or unit?"}
AWAY = Status(State.ENDED, "off", "Inactive")


@dataclass(frozen=True)
class Result:
    """One line of what was found."""

    name: str
    sub: str
    url: str
    pk: int = 0
    status: Status | None = None  # where it is not the usual one
    icon: str = ""  # of a page

    @property
    def is_active(self):
        return self.status is not AWAY


@dataclass(frozen=True)
class Found:
    """What was found of one kind."""

    title: str
    shape: str  # how it is drawn: user, group, unit, license or page
    results: list[Result]
    all_url: str = ""  # the list of them all, where there are more


@viewer_required
def find(request):
    """What matches q, of each kind the first by name; with `act`, only what can be acted on, and the act comes next."""
    q, act = clean_query(request.GET.get("q", "")), request.GET.get("act", "")
    act = act if act in TITLES else ""
    if act and not request.member.may_edit:
        raise PermissionDenied
    everything = (_people, _groups, _units, _licenses, _pages) if q else (_pages,)
    kinds = {"": everything, "assign": (_licenses,), "add": (_groups, _units)}[act]
    found = [each for kind in kinds if (each := kind(request, q, act)).results]
    said = count_words(sum(len(each.results) for each in found), "result", "results") if q else ""
    said += ", and more" if any(each.all_url for each in found) else ""
    context = {"title": TITLES[act], "q": q, "act": act, "found": found, "said": said}
    return render(request, "licensing/find.html", context)


def _people(request, q, act):
    def result(user):
        url = reverse("directory:user_detail", args=[user.pk])
        return Result(user.name, user.email or "", url, user.pk, None if user.is_active else AWAY)

    users = _first(request.organization.users, q, "search_text", "sort_key")
    return _found("People", "user", users, result, "licensing:user_list", q)


def _groups(request, q, act):
    def result(group):
        url = reverse("licensing:add_to_group" if act else "directory:group_detail", args=[group.pk])
        return Result(group.name, group.description, url, group.pk)

    groups = _first(request.organization.groups, q, "search_text", "sort_key")
    return _found("Groups", "group", groups, result, "directory:group_list", q)


def _units(request, q, act):
    def result(unit):
        url = reverse("licensing:add_to_unit" if act else "directory:unit_detail", args=[unit.pk])
        above = write_path(paths[unit.pk][:-1])
        return Result(unit.name, above and f"in {above}", url, unit.pk)

    units = _first(request.organization.units, q, "sort_key", "sort_key")
    paths = unit_paths([unit.pk for unit in units])
    return _found("Organizational Units", "unit", units, result, "directory:unit_list", q)


def _licenses(request, q, act):
    def result(allocation):
        name, args = ("choose_assignees", [allocation.pk, USERS]) if act else ("license_detail", [allocation.pk])
        status = allocation.status(now)
        url = reverse(f"licensing:{name}", args=args)
        status = None if status.look == "live" else status
        return Result(str(allocation), str(allocation.license.provider), url, allocation.pk, status)

    now, allocations = timezone.now(), request.organization.allocations.select_related("license__provider")
    allocations = allocations.assignable(now) if act else allocations
    allocations = _first(allocations, q, "license__sort_key", "license__sort_key")
    return _found("Licenses", "license", allocations, result, "licensing:license_list", q)


def _pages(request, q, act):
    navigation, words = navigation_of(request), fold(q).split()
    account = Page("Your account", reverse("directory:profile"), "user-circle", False)
    pages = [*navigation.pages, *navigation.own_pages, account]
    found = [page for page in pages if all(word in fold(page.label) for word in words)]
    return Found("Pages", "page", [Result(page.label, "", page.url, icon=page.icon) for page in found])


def _first(things, q, search, by):
    """Return the first things by name that match, and one more if there is one."""
    return list(things.filter(matching(q, f"{search}__finds")).order_by(by, "pk")[: SHOWN + 1])


def _found(title, shape, things, result, all_of_them, q):
    all_url = f"{reverse(all_of_them)}?{urlencode({'q': q})}" if len(things) > SHOWN else ""
    return Found(title, shape, [result(thing) for thing in things[:SHOWN]], all_url)

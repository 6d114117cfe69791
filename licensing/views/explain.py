"""Explain access: why somebody may use an application, a license or a policy, or what is missing."""

from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from directory.decorators import viewer_required
from licensing.access import usable
from licensing.explanations import explain
from licensing.forms import ExplainForm
from portal.fields import is_key
from portal.lists import clean_query, matching

SHOWN = 10  # of the people who match


@viewer_required
def explain_access(request):
    """The person, what it is about and the action lie in the URL. Without a person it asks for one; without anything
    that it is about, it says of each application whether they may use it."""
    now = timezone.now()
    allocations = list(request.organization.allocations.with_license().order_by("license__sort_key", "pk"))
    person, people = _who(request)
    form = ExplainForm(request.GET, organization=request.organization, allocations=allocations, person=person)
    context = {"form": form, "person": person, "people": people[:SHOWN], "more": len(people) > SHOWN}
    if person and form.is_valid():
        if thing := form.cleaned_data["what"]:
            context["explanation"] = explain(person, thing, form.cleaned_data["action"] or None, allocations, at=now)
        else:
            decisions = usable(person, at=now)
            applications = form.things["application"]
            context["applications"] = [
                (f"application-{each.pk}", each, decisions.get(each.pk)) for each in applications
            ]
    return render(request, "licensing/explain_access.html", context)


def _who(request):
    """Return the User it is about, or None, and those who match what was typed for one, at most one more than SHOWN."""
    users, q, user = request.organization.users, clean_query(request.GET.get("q", "")), request.GET.get("user")
    if user:
        if not is_key(user):
            raise Http404
        person = get_object_or_404(users, pk=user)
        if q in ("", person.name):
            return person, []
    found = list(users.filter(matching(q, "search_text__finds")).order_by("sort_key", "pk")[: SHOWN + 1]) if q else []
    return (found[0], []) if len(found) == 1 else (None, found)

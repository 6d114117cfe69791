"""The page that shows every component in every state, with things that exist nowhere."""

from datetime import UTC, datetime
from types import SimpleNamespace as Thing

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404
from django.shortcuts import render
from django.urls import reverse

from portal.templatetags.components import RowMenu

LONG = "Interdepartmental Coordination of Cross-Border Freight Forwarding and Customs Clearance for the Whole Region"


class Named(Thing):
    def __str__(self):
        return self.name


class SampleForm(forms.Form):
    name = forms.CharField(initial="Account managers")
    role = forms.ChoiceField(
        label="Portal role", choices=[("E", "Editor")], help_text="Editors change people and assignments."
    )
    ends_on = forms.DateField(label="Ends on", error_messages={"invalid": "Write a day as 31 Dec 2027."})
    starts_on = forms.DateField(label="Starts on", required=False)
    remember = forms.BooleanField(label="Stay signed in", required=False)


class Suggesting(forms.CharField):
    suggest, options = "design", ["Sales", "Sales › Benelux"]


class SuggestingForm(forms.Form):
    unit = Suggesting(required=False)


@login_not_required
def design(request, dialog=""):
    """Show the components; or one of the two dialogs, narrow or wide. Only in debug."""
    if not settings.DEBUG or dialog not in {"", "narrow", "wide"}:
        raise Http404
    if dialog:
        context = {"title": "Assign CRM Professional", "next": reverse("design"), **_samples()}
        return render(request, f"design/{dialog}.html", context)
    return render(request, "design/components.html", _samples())


def _seats(seats, used, later=0):
    """What licensing.access.SeatUse says, without licensing: the shared part of the portal knows no application."""
    limit = seats or used
    return Thing(
        seats=seats,
        used=used,
        later=later,
        later_from=datetime(2027, 1, 1, tzinfo=UTC),
        now=used - later,
        free=max(limit - used, 0),
        over=max(used - limit, 0),
        near=used >= 0.9 * limit,
        width=max(used, limit),
        tick=f"{max(used, limit) / 60:.2f}",
    )


def _samples():
    policies = [
        Named(pk=1, name="CRM access", description="See and change customers and deals."),
        Named(pk=2, name="CRM export", description="Download customers and deals."),
        Named(pk=3, name="CRM administration", description=""),
    ]
    license = Thing(
        provider="Northlight Software", default_policies=policies[:1], optional_policies=policies[1:], description=""
    )
    allocations = [
        Named(pk=1, name="CRM Professional", seats=25, license=license),
        Named(pk=2, name="Analytics Suite", seats=None, license=license),
        Named(pk=3, name=LONG, seats=1, license=license),
    ]
    people = [
        Named(pk=pk, name=name, email=email, is_active=pk != 4)
        for pk, (name, email) in enumerate(
            [
                ("Noor de Smet", "noor@acme.example"),
                ("Tom Maes", "tom@acme.example"),
                (LONG, "interdepartmental.coordination.of.cross.border.freight.forwarding@acme.example"),
                ("\u05e0\u05d5\u05e2\u05d4 \u05dc\u05d5\u05d9", "noa@acme.example"),
                ("Zo\u00eb \U0001f98a", ""),
            ],
            start=1,
        )
    ]
    for person in people:
        person.menu = RowMenu("/design/", person, person.pk)
        person.menu.opens("Change dates", "calendar", "design_dialog", "wide")
        person.menu.removes("Unassign License", "x-circle", "design_dialog", "narrow")
    everyone_menu = RowMenu("/design/", "Whole organization", "everyone")
    everyone_menu.opens("Manage Optional Policies", "adjustments-horizontal", "design_dialog", "wide")
    everyone_menu.removes("Unassign License", "x-circle", "design_dialog", "narrow")
    picker = Thing(
        picks="users",
        query="acme",
        many="active people",
        shown=50,
        hidden=[],
        picked=people[1:3],
        tray=people[1:3],
        unnamed=7,
        people=people,
        pasted=Thing(said="2 people are ticked from the list. 1 entry was not.", problems=[("4711", "Nobody")], left=3),
        pick_errors=["Choose at least one user."],
        can_show_more=True,
        status="5 of 58 active people match.",
        shape="user",
        options=[
            Thing(thing=person, sub=person.email, is_picked=person in people[1:3], note=note, is_taken=note != "")
            for person, note in zip(people, ["Has it already: Direct", "", "", "", ""], strict=True)
        ],
    )
    chosen = Thing(policies=Thing(errors=["Choose again: CRM export is not optional any more."]), chosen_keys=[2])
    seats = [_seats(25, 19), _seats(25, 22, later=3), _seats(10, 9), _seats(10, 13), _seats(None, 58)]
    units = [Named(pk=1, name="Sales"), Named(pk=2, name="Benelux"), Named(pk=3, name="Antwerp")]
    rows = [
        Thing(unit=units[0], rails=[], has_children=True, is_open=True, toggled=[], above=""),
        Thing(unit=units[1], rails=["tree-turn"], has_children=True, is_open=False, toggled=["1", "2"], above="Sales"),
        Thing(
            unit=units[2], rails=["tree-turn tree-last"], has_children=False, is_open=False, toggled=[], above="Sales"
        ),
    ]
    acts = [
        (Thing(told_by="Eva Peeters", at=datetime(2026, 11, 24, 9, 12, tzinfo=UTC)), sign, sentence)
        for sign, sentence in [
            ("+", "assigned CRM Professional to Project Apollo"),
            ("\u2212", "deactivated Ivo Laurent"),
            ("\u2192", "moved Nordics under Sales"),
        ]
    ]
    statuses = [
        Thing(look=look, text=text)
        for look, text in [
            ("live", "Live"),
            ("scheduled", "Starts 1 Jan 2027"),
            ("soon", "Ends in 6 days"),
            ("ended", "Ended 31 Oct 2026"),
            ("off", "Not in effect: cancelled"),
            ("over", "Over by 3"),
        ]
    ]
    return {
        "acts": acts,
        "allocations": allocations,
        "checked": SampleForm({"name": "Account managers", "role": "E", "ends_on": "soon", "starts_on": "soon"}),
        "chosen": chosen,
        "empty_form": SampleForm(auto_id="new_%s"),
        "everyone_menu": everyone_menu,
        "ends_at": datetime(2027, 11, 25, tzinfo=UTC),
        "form": picker,
        "license": license,
        "listing": Thing(q="", sort="name", count=5, count_text="5", previous_cursor="x", next_cursor="y"),
        "none_chosen": Thing(policies=Thing(errors=[]), chosen_keys=[]),
        "people": people,
        "policies": policies,
        "plain_license": Thing(default_policies=policies[:1], optional_policies=[]),
        "rest": Thing(parent=1, number=412, more=[1], rails=["tree-turn tree-last"]),
        "rows": rows,
        "seats": seats,
        "statuses": statuses,
        "suggesting": SuggestingForm(),
    }

from dataclasses import dataclass
from hashlib import sha256

from django import forms

from portal.text import count_words, join_some

from ..models import Role
from ..services import Invitee
from .addresses import read_people
from .places import PlacesMixin, UnitField

MOST_PEOPLE = 1000
SHOWN = 50


class InviteForm(PlacesMixin, forms.Form):
    """Invite many. What is no address is kept in `wrong`, to be marked with what the plan refuses."""

    people = forms.CharField(
        label="E-mail addresses",
        max_length=150_000,
        widget=forms.Textarea({"rows": 7, "autocomplete": "off", "spellcheck": "false", "autofocus": True}),
        help_text="One or many, as you have them: on lines of their own, or with commas or semicolons between them. "
        "Names are read too: Noor de Smet <noor@example.com>",
        error_messages={
            "required": "Write at least one address.",
            "max_length": "This is too long. Invite at most 1,000 people at once.",
        },
    )
    role = forms.ChoiceField(
        label="Portal role", required=False, choices=[("", "None: sees My access only"), *Role.choices]
    )
    unit = UnitField(required=False, help_text="Its name or path. Empty: in no unit.")

    def __init__(self, organization, data=None, *, may_give_roles):
        super().__init__(data)
        self.wrong = []
        self.find_places_in(organization)
        if not may_give_roles:
            del self.fields["role"]

    def clean_people(self):
        people, self.wrong = read_people(self.cleaned_data["people"])
        if not people and not self.wrong:
            raise forms.ValidationError(self.fields["people"].error_messages["required"], code="required")
        if len(people) > MOST_PEOPLE:
            raise forms.ValidationError(f"These are {len(people):,} people. Invite at most 1,000 at once.", code="many")
        return people

    def clean(self):
        return {**super().clean(), "wrong": self.wrong}


@dataclass(frozen=True)
class Foreseen:
    """What inviting would do, as the dialog shows it before the button. refused: (what was written, why not) pairs."""

    new: list[Invitee]
    known: list  # Users
    refused: list[tuple[str, str]]

    @property
    def invited(self):
        return len(self.new) + len(self.known)

    @property
    def new_names(self):
        return join_some((person.name or person.email for person in self.new), limit=5)

    @property
    def known_names(self):
        return join_some(self.known, limit=5)

    @property
    def first_refused(self):
        return self.refused[:SHOWN]

    @property
    def more_refused(self):
        return max(len(self.refused) - SHOWN, 0)

    @property
    def sum(self):
        invited = f"{count_words(self.invited, 'person is', 'people are')} invited"
        return f"{invited}, {len(self.refused):,} not" if self.refused else invited

    @property
    def shown(self):
        """What tells whether the person has seen who is not invited."""
        return sha256(repr(sorted(self.refused)).encode()).hexdigest()

    def grown(self, shown):
        """Return what to say where somebody is refused and the person has not seen it; else nothing."""
        if not self.refused or shown == self.shown or not self.invited:
            return ""
        entries = count_words(len(self.refused), "entry", "entries")
        return f"{entries} cannot be invited. Look at why, then invite the others or mend the list."

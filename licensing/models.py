from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Count, F, Q
from django.db.models.functions import Coalesce, Lower
from django.utils import timezone

from directory.models import Account, Group, Named, Organization, OrgUnit, User
from portal.text import validate_name, web_address

from .kinds import KINDS, ORGANIZATION, AssigneeKind, kind_of_key
from .states import INACTIVE, State, state_of, status_of


class Provider(models.Model):
    """The software's owner: owns applications, policies and licenses."""

    name = models.CharField(max_length=120, validators=[validate_name])
    slug = models.SlugField(unique=True, error_messages={"unique": "A provider with this slug exists."})
    contact_email = models.EmailField("contact e-mail", blank=True)
    terms_url = models.URLField("terms", blank=True)
    staff = models.ManyToManyField(Account, through="StaffMember", related_name="providers")

    def __str__(self):
        return self.name

    @property
    def terms_link(self):
        """Where its terms are, if a link may lead there."""
        return web_address(self.terms_url)


class StaffMember(models.Model):
    """An Account that works for a Provider, in the administration. Leads say who else does, and make its tokens."""

    provider = models.ForeignKey(Provider, models.CASCADE, related_name="staff_members", db_index=False)
    account = models.ForeignKey(Account, models.CASCADE, related_name="staff_members")
    is_lead = models.BooleanField(
        "lead", default=False, help_text="Adds and removes staff, makes tokens and tries them."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["provider", "account"], name="staff_member")]

    def __str__(self):
        return self.account.email  # the name of an account is that of somebody's employee: not for other providers


class OrganizationOrigin(models.Model):
    """Which Provider created an Organization, and so sees it before anything is allocated to it. None: the operator."""

    organization = models.OneToOneField(Organization, models.CASCADE, primary_key=True, related_name="origin")
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="origins")

    def __str__(self):
        return f"{self.organization} by {self.provider}"


class Application(models.Model):
    """What access is to; machines know it by its slug."""

    provider = models.ForeignKey(Provider, models.PROTECT, related_name="applications", db_index=False)
    name = models.CharField(max_length=120, validators=[validate_name])
    slug = models.SlugField()
    resource_type = models.CharField(max_length=60, default="application")
    description = models.CharField(max_length=250, blank=True)
    url = models.URLField("address", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "slug"],
                name="application_slug",
                violation_error_message="An application with this slug exists.",
            )
        ]

    def __str__(self):
        return self.name

    @property
    def link(self):
        """Where it is, if a link may lead there."""
        return web_address(self.url)


MOST_ACTIONS = LONGEST_ACTION = 100


def validate_actions(actions):
    if not isinstance(actions, list) or not all(isinstance(action, str) and action.strip() for action in actions):
        raise ValidationError("Write the actions as a list of names.", code="actions")
    if len(actions) > MOST_ACTIONS:
        raise ValidationError(f"These are {len(actions):,} actions. List at most {MOST_ACTIONS}.", code="actions")
    for action in actions:
        if len(action) > LONGEST_ACTION:
            said = f"“{action[:20]}…” has {len(action):,} characters. An action has at most {LONGEST_ACTION}."
            raise ValidationError(said, code="actions")
        validate_name(action)


def covers(actions, action):
    """Whether a policy that lists the actions covers the action (None: any at all). One that lists none covers all."""
    return action is None or not actions or action in actions


class Policy(models.Model):
    """A named right in one application. Policies only give; there is no deny."""

    application = models.ForeignKey(Application, models.PROTECT, related_name="policies")
    name = models.CharField(max_length=120, validators=[validate_name])
    description = models.CharField(max_length=250, blank=True)
    actions = models.JSONField(
        default=list, blank=True, validators=[validate_actions], help_text="None listed: every action."
    )
    role = models.CharField(max_length=60, blank=True, help_text="Handed to the application, if it wants one.")

    class Meta:
        verbose_name_plural = "policies"
        constraints = [
            models.UniqueConstraint(
                "application",
                Lower("name"),
                name="policy_name",
                violation_error_message="This application has a policy of this name.",
            )
        ]

    def __str__(self):
        return self.name

    def covers(self, action):
        return covers(self.actions, action)


class License(Named):
    """A named bundle of policies, each default or optional."""

    provider = models.ForeignKey(Provider, models.PROTECT, related_name="licenses", db_index=False)
    description = models.CharField(max_length=250, blank=True)
    policies = models.ManyToManyField(Policy, through="LicensePolicy", related_name="licenses")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "provider", Lower("name"), name="license_name", violation_error_message="A license of this name exists."
            )
        ]

    def __str__(self):
        return self.name

    # Both read the prefetched rows (AllocationQuerySet.with_license), in the provider's order.
    @property
    def default_policies(self):
        return [row.policy for row in self.license_policies.all() if row.is_default]

    @property
    def optional_policies(self):
        return [row.policy for row in self.license_policies.all() if not row.is_default]

    @property
    def applications(self):
        """What it opens."""
        return list(dict.fromkeys(row.policy.application for row in self.license_policies.all()))


class LicensePolicy(models.Model):
    license = models.ForeignKey(License, models.CASCADE, related_name="license_policies", db_index=False)
    policy = models.ForeignKey(Policy, models.PROTECT, related_name="license_policies")
    is_default = models.BooleanField()
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["license", "policy"], name="license_policy")]

    def __str__(self):
        return f"{self.policy} in {self.license}"


def license_policies(license):
    """Return the Prefetch of a license's policies with their applications; `license`: the path to it."""
    return models.Prefetch(f"{license}__license_policies", LicensePolicy.objects.select_related("policy__application"))


def chosen_policies():
    """Return the Prefetch of an assignment's chosen optional policies."""
    return models.Prefetch("assignment_policies", AssignmentPolicy.objects.select_related("policy"))


class AllocationQuerySet(models.QuerySet):
    def live(self, at):
        """Not cancelled, and within its dates at the instant."""
        return self.filter(Q(ends_at=None) | Q(ends_at__gt=at), cancelled_at=None, starts_at__lte=at)

    def assignable(self, at):
        """Live or scheduled: what can be assigned."""
        return self.filter(Q(ends_at=None) | Q(ends_at__gt=at), cancelled_at=None)

    def with_license(self):
        """With what pages show of a license: provider and policies with their applications."""
        return self.select_related("license__provider").prefetch_related(license_policies("license"))


class Allocation(models.Model):
    """A License given to an Organization. One row per pair for ever: renewing changes dates, cancelling is a date."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="allocations", db_index=False)
    license = models.ForeignKey(License, models.PROTECT, related_name="allocations")
    seats = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: no limit.")
    starts_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, editable=False)
    over_since = models.DateTimeField(null=True, editable=False)  # its seats, as send_notices found: told once
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = AllocationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "license"],
                name="allocation_once",
                violation_error_message="This license is allocated here already. Change that allocation instead.",
            ),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")), name="allocation_ends_after_start"
            ),
        ]

    def __str__(self):
        return self.license.name

    def state(self, at):
        """Return its State at the instant."""
        return State.CANCELLED if self.cancelled_at else state_of(self.starts_at, self.ends_at, at)

    def status(self, at):
        return status_of(self.state(at), self.starts_at, self.ends_at, at)

    def is_assignable(self, at):
        return self.state(at) in (State.LIVE, State.SCHEDULED)


class AssignmentQuerySet(models.QuerySet):
    def of_kind(self, kind):
        return self.filter(kind.where)

    def in_effect(self, at):
        """Within its own dates and those of a live allocation."""
        return self.filter(
            Q(ends_at=None) | Q(ends_at__gt=at),
            Q(starts_at=None) | Q(starts_at__lte=at),
            Q(allocation__ends_at=None) | Q(allocation__ends_at__gt=at),
            allocation__cancelled_at=None,
            allocation__starts_at__lte=at,
        )

    def counted_by_kind(self, allocations):
        """Return how many assignments of each kind the allocations have, one dict each. One query."""
        kinds = {str(kind): Count("pk", filter=kind.where) for kind in (*KINDS, ORGANIZATION)}
        return self.filter(allocation__in=allocations).order_by().values("allocation").annotate(**kinds)

    def with_assignees(self):
        return self.select_related("user", "group", "unit", "organization")

    def with_license(self):
        return self.select_related("allocation__license__provider").prefetch_related(
            license_policies("allocation__license")
        )

    def with_policies(self):
        """With the chosen optional policies."""
        return self.prefetch_related(chosen_policies())


class Assignment(models.Model):
    """An Allocation given to one assignee: a user, group, unit or everybody. The assignee never changes."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="assignments")
    allocation = models.ForeignKey(Allocation, models.PROTECT, related_name="assignments")
    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True, related_name="assignments", db_index=False)
    group = models.ForeignKey(Group, models.CASCADE, null=True, blank=True, related_name="assignments", db_index=False)
    unit = models.ForeignKey(OrgUnit, models.CASCADE, null=True, blank=True, related_name="assignments", db_index=False)
    whole_organization = models.BooleanField(default=False)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.CharField(max_length=254)
    # The assignee as one number: the rule "at most once" and the look-up of a user's assignments are one index.
    target_key = models.GeneratedField(
        expression=Coalesce(F("user") * 4, F("group") * 4 + 1, F("unit") * 4 + 2, F("organization") * 4 + 3),
        output_field=models.BigIntegerField(),
        db_persist=True,
    )
    policies = models.ManyToManyField(Policy, through="AssignmentPolicy", related_name="+")

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["target_key", "allocation"], name="assignment_once"),
            models.CheckConstraint(
                name="assignment_one_assignee",
                condition=Q(user__isnull=False, group=None, unit=None, whole_organization=False)
                | Q(user=None, group__isnull=False, unit=None, whole_organization=False)
                | Q(user=None, group=None, unit__isnull=False, whole_organization=False)
                | Q(user=None, group=None, unit=None, whole_organization=True),
            ),
            models.CheckConstraint(
                condition=Q(starts_at=None) | Q(ends_at=None) | Q(ends_at__gt=F("starts_at")),
                name="assignment_ends_after_start",
            ),
        ]
        indexes = [
            models.Index(fields=[field], condition=Q(**{f"{field}__isnull": False}), name=f"assignment_{field}")
            for field in ("user", "group", "unit")
        ]

    def __str__(self):
        return f"{self.allocation} for {self.assignee}"

    @property
    def kind(self) -> AssigneeKind:
        return kind_of_key(self.target_key)

    @property
    def assignee(self):
        """The User, Group, OrgUnit or Organization that has it."""
        return self.organization if self.kind is ORGANIZATION else getattr(self, self.kind.field)

    @property
    def chosen_policies(self):
        """The chosen optional policies, in the provider's order."""
        chosen = {row.policy for row in self.assignment_policies.all()}
        return [policy for policy in self.allocation.license.optional_policies if policy in chosen]

    def status(self, at):
        """Return its Status at the instant: live only while its allocation is live, and its user active."""
        if self.user_id and not self.user.is_active:
            return INACTIVE
        starts_at = max(filter(None, (self.starts_at, self.allocation.starts_at)))
        state = State.CANCELLED if self.allocation.cancelled_at else state_of(starts_at, self.last_instant, at)
        return status_of(state, starts_at, self.last_instant, at)

    @property
    def last_instant(self):
        """When it or its allocation ends, or None."""
        return min(filter(None, (self.ends_at, self.allocation.ends_at)), default=None)


class AssignmentPolicy(models.Model):
    """A chosen optional policy. The columns beside the pair are for the keys that prove it is one (migration 0002)."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    assignment = models.ForeignKey(Assignment, models.CASCADE, related_name="assignment_policies", db_index=False)
    allocation = models.ForeignKey(Allocation, models.CASCADE, related_name="+", db_index=False)
    license = models.ForeignKey(License, models.CASCADE, related_name="+", db_index=False)
    policy = models.ForeignKey(Policy, models.PROTECT, related_name="assignment_policies")
    is_default = models.BooleanField(default=False, editable=False)

    class Meta:
        verbose_name_plural = "assignment policies"
        constraints = [
            models.UniqueConstraint(fields=["assignment", "policy"], name="assignment_policy"),
            models.CheckConstraint(condition=Q(is_default=False), name="assignment_policy_is_optional"),
        ]

    def __str__(self):
        return f"{self.policy} for {self.assignment}"


class ProviderTokenQuerySet(models.QuerySet):
    def valid(self, at):
        """Neither revoked nor over at the instant."""
        return self.filter(Q(ends_at=None) | Q(ends_at__gt=at), revoked_at=None)


class ProviderToken(models.Model):
    """A secret with which a Provider's applications ask for decisions. Only its digest is kept."""

    provider = models.ForeignKey(Provider, models.CASCADE, related_name="tokens")
    name = models.CharField(
        max_length=120, validators=[validate_name], help_text="Where it is used, for example: CRM, production."
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)  # SHA-256 of the secret
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    ends_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    applications = models.ManyToManyField(
        Application, blank=True, related_name="+", help_text="None: all applications of the provider."
    )

    objects = ProviderTokenQuerySet.as_manager()

    class Meta:
        verbose_name = "token"

    def __str__(self):
        return self.name

    def state(self, at):
        """Return where it stands at the instant: live is what `valid` finds, cancelled that it was revoked."""
        return State.CANCELLED if self.revoked_at else state_of(None, self.ends_at, at)

    @property
    def may_ask_about(self):
        """The Applications that it may ask about, as a QuerySet."""
        limited = self.applications.all()
        return limited if limited.exists() else self.provider.applications.all()


class ProviderTokenUse(models.Model):
    """How often a token has asked in its latest minute: the number that all processes share (authzen.limits)."""

    token = models.OneToOneField(ProviderToken, models.CASCADE, primary_key=True, related_name="use")
    minute = models.BigIntegerField()  # since 1970
    number = models.PositiveIntegerField()

    def __str__(self):
        return f"{self.token_id}: {self.number}"

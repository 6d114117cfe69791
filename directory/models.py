import uuid
import zoneinfo
from functools import cache

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Concat, Lower
from django.utils import timezone
from django.utils.functional import cached_property

from portal.audit.log import Actor
from portal.text import fold, validate_name

time_zones = cache(zoneinfo.available_timezones)  # goes through all their files, each time


def validate_time_zone(name):
    if name not in time_zones():
        raise ValidationError(f"“{name}” is not a time zone. Write one such as Europe/Brussels.", code="time_zone")


def validate_ascii(address):
    """Refuse what two databases, and mail servers, do not bring to the same lower case."""
    if not address.isascii():
        raise ValidationError("An e-mail address has no other letters than a to z. Write it so.", code="ascii")


class Organization(models.Model):
    """A customer; the tenant. Everything in the portal belongs to exactly one."""

    name = models.CharField(max_length=120, validators=[validate_name])
    slug = models.SlugField(unique=True, error_messages={"unique": "An organization with this slug exists."})
    time_zone = models.CharField(max_length=40, default="UTC", validators=[validate_time_zone])
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("name"), name="organization_name", violation_error_message="An organization of this name exists."
            )
        ]

    def __str__(self):
        return self.name

    @property
    def tz(self):
        return zoneinfo.ZoneInfo(self.time_zone)


class AccountManager(BaseUserManager):
    def get_by_natural_key(self, email):
        return self.get(email=email.lower())

    def create_superuser(self, *, email, name, password=None):
        """Create the platform operator: what `manage.py createsuperuser` calls."""
        from .services import create_account  # the services import the models

        actor = Actor("command", None, "createsuperuser")
        return create_account(email=email, name=name, password=password, is_staff=True, is_superuser=True, actor=actor)


class Account(AbstractBaseUser, PermissionsMixin):
    """A login. Global: one Account may be a User in several organizations."""

    email = models.EmailField(
        "e-mail", unique=True, error_messages={"unique": "An account with this e-mail address exists."}
    )
    name = models.CharField(max_length=120, validators=[validate_name])
    is_active = models.BooleanField("may sign in", default=True)
    is_staff = models.BooleanField("may enter the administration", default=False)
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    objects = AccountManager()

    USERNAME_FIELD = EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        # Lower case only, so that the unique address is unique whatever its spelling.
        constraints = [models.CheckConstraint(condition=Q(email=Lower("email")), name="account_email_lower")]

    def __str__(self):
        return self.name

    def clean(self):
        self.email = self.email.lower()


class Named(models.Model):
    """Something with a name that lists sort and search: sort_key and search_text follow the name on every save."""

    name = models.CharField(max_length=120, validators=[validate_name])
    sort_key = models.CharField(max_length=250, editable=False)

    class Meta:
        abstract = True

    def __str__(self):
        return self.name

    def save(self, *args, **kwargs):
        self.fold()
        super().save(*args, **kwargs)

    def fold(self):
        """Derive sort_key (and search_text); save() does it, whoever inserts in bulk does it first."""
        self.sort_key = fold(self.name)[:250]


class Searchable(Named):
    """… and whose search_text folds more than the name."""

    search_text = models.TextField(editable=False)
    searched = ("name",)

    class Meta:
        abstract = True

    def fold(self):
        super().fold()
        self.search_text = fold(" ".join(filter(None, (getattr(self, field) for field in self.searched))))


class OrgUnit(Named):
    """A node in the organization's tree. Belonging to a unit means belonging to the units above it too."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="units", db_index=False)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children", db_index=False)
    description = models.CharField(max_length=250, blank=True)

    class Meta:
        verbose_name = "organizational unit"
        constraints = [
            models.UniqueConstraint(
                "parent",
                Lower("name"),
                name="unit_name_in_parent",
                violation_error_message="A unit of this name exists there.",
            ),
            models.UniqueConstraint(
                "organization",
                Lower("name"),
                condition=Q(parent=None),
                name="unit_name_at_top",
                violation_error_message="A unit of this name exists there.",
            ),
            models.CheckConstraint(condition=Q(parent=None) | ~Q(parent=F("id")), name="unit_not_in_itself"),
        ]
        indexes = [models.Index(fields=["organization", "sort_key", "id"], name="unit_by_name")]


class OrgUnitClosure(models.Model):
    """Every unit with itself (depth 0) and with each unit above it. Written only by the unit services."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    ancestor = models.ForeignKey(OrgUnit, models.CASCADE, related_name="below", db_index=False)
    descendant = models.ForeignKey(OrgUnit, models.CASCADE, related_name="above", db_index=False)
    depth = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["descendant", "ancestor"], name="closure_descendant_ancestor"),
            models.CheckConstraint(
                condition=Q(depth=0, ancestor=F("descendant")) | (Q(depth__gt=0) & ~Q(ancestor=F("descendant"))),
                name="closure_self_is_depth_0",
            ),
        ]
        indexes = [models.Index(fields=["ancestor", "descendant"], name="closure_ancestor_descendant")]

    def __str__(self):
        return f"{self.ancestor_id} above {self.descendant_id} by {self.depth}"


class Role(models.TextChoices):
    """What a User may do in the portal (the portal role). Without one: My access only."""

    ADMIN = "admin", "Admin"
    EDITOR = "editor", "Editor"
    VIEWER = "viewer", "Viewer"


class UserQuerySet(models.QuerySet):
    def active(self):
        return self.filter(is_active=True)

    def with_open_invitations(self):
        """With what User.open_invitations reads, in one query for all."""
        return self.prefetch_related(
            models.Prefetch("invitations", Invitation.objects.unfinished(), to_attr="open_invitations")
        )


class User(Searchable):
    """A person in an organization's directory; may have no Account at all."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="users", db_index=False)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(Account, models.SET_NULL, null=True, blank=True, related_name="users")
    email = models.EmailField("e-mail", null=True, blank=True, validators=[validate_ascii])
    title = models.CharField(max_length=120, blank=True)
    employee_number = models.CharField(max_length=60, blank=True)
    external_id = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001 null where the identity provider gave none
    role = models.CharField("portal role", max_length=10, choices=Role, blank=True)
    unit = models.ForeignKey(OrgUnit, models.SET_NULL, null=True, blank=True, related_name="users", db_index=False)
    is_active = models.BooleanField("active", default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = UserQuerySet.as_manager()

    searched = ("name", "email", "title", "employee_number")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "organization",
                Lower("email"),
                name="user_email",
                violation_error_message="Somebody here has this e-mail address.",
            ),
            models.UniqueConstraint(fields=["organization", "account"], name="user_account"),
            models.UniqueConstraint(
                fields=["organization", "external_id"], condition=Q(external_id__isnull=False), name="user_external_id"
            ),
            models.CheckConstraint(condition=Q(role__in=["", *Role.values]), name="user_role"),
        ]
        indexes = [
            models.Index(fields=["organization", "sort_key", "id"], name="user_by_name"),
            models.Index(fields=["organization", "created_at", "id"], name="user_by_date"),
            models.Index(fields=["organization", "id"], condition=Q(is_active=False), name="user_inactive"),
            models.Index(
                fields=["organization", "id"], include=["unit"], condition=Q(is_active=True), name="user_active"
            ),
            # With all that is asked of whoever a unit's licenses reach: the rows of thousands need not be read for it.
            models.Index(fields=["unit"], include=["organization", "id", "is_active"], name="user_in_unit"),
            # Applications name people by these, without knowing the organization.
            models.Index(Lower("email"), name="user_by_email"),
            models.Index(fields=["external_id"], condition=Q(external_id__isnull=False), name="user_by_external_id"),
            # On PostgreSQL migration 0002 adds a trigram index on search_text, and the keys that hold tenants apart.
        ]

    @property
    def may_edit(self):
        """Whether this person may change the directory and assignments."""
        return self.role in (Role.ADMIN, Role.EDITOR)

    @cached_property
    def open_invitations(self):
        """The Invitation that can be sent again, or cancelled: a list of one, or of none."""
        return [] if self.account_id else list(self.invitations.unfinished())


class Group(Searchable):
    """A named set of Users of an organization."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="groups", db_index=False)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    description = models.CharField(max_length=250, blank=True)
    external_id = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001 null where the identity provider gave none
    members = models.ManyToManyField(User, through="GroupMembership", related_name="groups")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "organization", Lower("name"), name="group_name", violation_error_message="A group of this name exists."
            )
        ]
        indexes = [models.Index(fields=["organization", "sort_key", "id"], name="group_by_name")]


class GroupMembership(models.Model):
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    group = models.ForeignKey(Group, models.CASCADE, related_name="memberships", db_index=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships", db_index=False)
    added_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "user"], name="membership_group_user")]
        indexes = [models.Index(fields=["user", "group"], name="membership_user_group")]

    def __str__(self):
        return f"{self.user_id} in {self.group_id}"


class InvitationQuerySet(models.QuerySet):
    def unfinished(self):
        """Neither accepted nor cancelled; may have expired."""
        return self.filter(accepted_at=None, cancelled_at=None)

    def listed(self, state=""):
        """As a list shows them: with their people; those in a state, if it names one. found_by: what is searched."""
        now, unfinished = timezone.now(), Q(accepted_at=None, cancelled_at=None)
        states = {
            "pending": unfinished & Q(expires_at__gt=now),
            "expired": unfinished & Q(expires_at__lte=now),
            "accepted": Q(accepted_at__isnull=False),
            "cancelled": Q(cancelled_at__isnull=False),
        }
        # Somebody may have had another address when they were invited.
        found_by = Concat("user__search_text", Value(" "), "email", output_field=models.TextField())
        return self.filter(states.get(state, Q())).select_related("user").alias(found_by=found_by)


class Invitation(models.Model):
    """A User is asked by mail to use the portal. The link in the mail names the invitation and its number, signed."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="invitations", db_index=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="invitations", db_index=False)
    email = models.EmailField("e-mail")  # the person's, in lower case; only an account with it may accept
    number = models.PositiveIntegerField(default=1)  # of the latest mail: links with another one do not work any more
    invited_by = models.CharField(max_length=254)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(accepted_at=None, cancelled_at=None),
                name="invitation_unfinished",
                violation_error_message="This person was invited already.",
            ),
            models.CheckConstraint(
                condition=Q(accepted_at=None) | Q(cancelled_at=None), name="invitation_ends_in_one_way"
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "sent_at", "id"], name="invitation_by_date"),
            models.Index(fields=["user"], name="invitation_user"),
            # On PostgreSQL migration 0005 adds the key that holds tenants apart.
        ]

    def __str__(self):
        return f"invitation of {self.email}"

    @property
    def name(self):
        """Whose it is: so it is called where many are told of."""
        return self.user.name

    @property
    def is_unfinished(self):
        """Whether it can be sent again, or cancelled: it was neither accepted nor cancelled."""
        return not self.accepted_at and not self.cancelled_at

    @property
    def state(self):
        """In what state it is now: pending, expired, accepted or cancelled."""
        if self.accepted_at:
            return "accepted"
        if self.cancelled_at:
            return "cancelled"
        return "expired" if self.expires_at <= timezone.now() else "pending"

"""What is true of every page and modal: more rows never mean more queries, and nothing of elsewhere is on it."""

from directory import services as directory
from licensing import services
from licensing.kinds import ORGANIZATION
from licensing.models import Application, Policy
from tests.worlds import TEST, license_of

# Queries for a viewer (who may not open modals) and for an editor. Three of them are the session, the account and its
# organizations.
QUERIES = {
    "/licenses/": (7, 7),
    "/licenses/?q=e&sort=-ends": (7, 7),
    "/licenses/{allocation}/": (13, 14),
    "/licenses/{allocation}/seats/": (6, 6),
    "/licenses/{allocation}/users/": (13, 14),
    "/licenses/{allocation}/groups/": (14, 15),
    "/licenses/{allocation}/units/": (14, 15),
    "/users/": (7, 7),
    "/users/?role=none&unit=Sales&group=Support&license={allocation}": (12, 12),
    "/users/compare/?one=%23{user}&other=%23{viewer}": (15, 15),
    "/users/{user}/": (5, 5),
    "/users/invitations/": (5, 5),
    "/users/invitations/?state=pending&q=extra": (5, 5),
    "/users/{user}/groups/": (8, 8),
    "/users/{user}/licenses/": (11, 12),
    "/licenses/{allocation}/access/": (17, 18),
    "/groups/": (6, 6),
    "/groups/{group}/": (6, 6),
    "/groups/{group}/licenses/": (8, 9),
    "/units/": (10, 10),
    "/units/?open={unit}": (10, 10),
    "/units/?q=e": (9, 9),
    "/units/{unit}/": (9, 9),
    "/units/{unit}/licenses/": (10, 11),
    "/organization/": (7, 7),
    "/organization/licenses/": (7, 8),
    "/my-access/": (8, 8),
    "/activity/": (5, 5),
    # modals
    "/users/{user}/edit/": (None, 7),
    "/users/{user}/add-to-groups/": (None, 8),
    "/users/{user}/unit/": (None, 6),
    "/users/{user}/offboard/": (None, 15),
    "/users/bulk/group/?all=1": (None, 6),
    "/users/bulk/unit/?all=1": (None, 7),
    "/users/bulk/assign/?all=1": (None, 9),
    "/users/invitations/bulk/resend/?all=1": (None, 7),
    "/users/invitations/bulk/cancel/?all=1": (None, 6),
    "/users/bulk/leave/?all=1&query=within%3Dgroup-{group}": (None, 21),
    "/users/bulk/leave-unit/?all=1&query=within%3Dunit-{below}": (None, 24),
    "/groups/bulk/assign/?all=1": (None, 6),
    "/groups/{group}/delete/": (None, 20),
    "/units/bulk/unassign/?all=1": (None, 6),
    "/units/{below}/move/": (None, 9),
    "/units/{below}/delete/": (None, 22),
    "/users/invite/": (None, 5),
    "/users/{user}/invite/": (None, 7),
    "/invitations/{invitation}/resend/": (None, 4),
    "/invitations/{invitation}/cancel/": (None, 4),
    "/licenses/{allocation}/users/assign/": (None, 11),
    "/licenses/{allocation}/groups/assign/": (None, 10),
    "/licenses/{allocation}/units/assign/": (None, 12),
    "/users/{user}/licenses/assign/": (None, 12),
    "/groups/{group}/licenses/assign/": (None, 10),
    "/units/{unit}/licenses/assign/": (None, 12),
    "/organization/licenses/assign/": (None, 9),
    "/assignments/{to_user}/policies/": (None, 6),
    "/assignments/{to_user}/dates/": (None, 11),
    "/assignments/{to_user}/unassign/": (None, 18),
    "/assignments/{to_group}/unassign/": (None, 18),
    "/assignments/{to_unit}/unassign/": (None, 18),
    "/assignments/{to_everyone}/unassign/": (None, 18),
    "/groups/{group}/add/": (None, 7),
    "/groups/{group}/remove/": (None, 7),
    "/groups/{group}/remove/{user}/": (None, 18),
    "/units/{unit}/add/": (None, 6),
    "/units/{below}/remove/": (None, 7),
    "/units/{below}/remove/{user}/": (None, 19),
}


def grow(world, catalogue):
    """Three more of everything that pages list, all of them called Extra."""
    optional, people, groups = catalogue.professional.optional_policies, [], []
    for n in range(3):
        application = services.save(
            Application(provider=catalogue.provider, name=f"Extra Application {n}", slug=f"extra-{n}"), actor=TEST
        )
        optional.append(services.save(Policy(application=application, name=f"Extra Policy {n}"), actor=TEST))
    services.set_license_policies(catalogue.professional, default=[catalogue.reading], optional=optional, actor=TEST)
    for n, extra in enumerate(optional[-3:]):
        unit = directory.create_unit(world.organization, name=f"Extra Unit {n}", parent=world.unit, actor=TEST)
        directory.create_unit(world.organization, name=f"Extra Top {n}", actor=TEST)
        directory.create_unit(world.organization, name=f"Extra Deep {n}", parent=unit, actor=TEST)
        people += [world.person(f"Extra Person {n}", unit=unit), world.person(f"Extra Pal {n}", unit=world.below)]
        people.append(world.person(f"Extra Inactive {n}", unit=world.unit, is_active=False))
        world.invite(f"extra-{n}@new.example", f"Extra Guest {n}")
        groups += [directory.create_group(world.organization, name=f"Extra {n}-{m}", actor=TEST) for m in (1, 2)]
        for assignee in (people[-3], people[-2], groups[-1], unit):
            world.assign(assignee, policies=[extra, catalogue.export])
        for name in (f"Extra License {n}", f"Extra Unassigned {n}"):
            license = license_of(catalogue, name, optional=[extra])
            allocation = services.allocate(license, organization=world.organization, seats=40 + n, actor=TEST)
            if name.startswith("Extra License"):
                for assignee in (world.nobody, world.viewer, world.group, world.unit, world.organization):
                    world.assign(assignee, allocation, policies=[extra])
    directory.join_group(world.group, users=people, actor=TEST)
    for group in groups:
        directory.join_group(group, users=[world.nobody, world.viewer, *people], actor=TEST)


def names_of(world, catalogue):
    """The keys in the URLs of QUERIES, with an assignment to each kind."""
    return {
        "allocation": world.allocation.pk,
        "user": world.nobody.pk,
        "viewer": world.viewer.pk,
        "group": world.group.pk,
        "unit": world.unit.pk,
        "below": world.below.pk,
        "invitation": world.invite("invited@new.example").pk,
        "to_user": world.assign(world.nobody, policies=[catalogue.export]).pk,
        "to_group": world.assign(world.group).pk,
        "to_unit": world.assign(world.unit).pk,
        "to_everyone": world.assign(world.organization).pk,
    }


# Of one thing only, or of numbers.
SHOWS_NO_LIST = ("/seats/", "/users/{user}/", "/organization/", "/dates/", "{user}/invite/", "/resend/", "/cancel/")
SHOWS_NO_LIST += ("/bulk/resend/?all=1", "/bulk/cancel/?all=1")


def test_more_rows_do_not_mean_more_queries(acme, catalogue, django_assert_num_queries):
    members = [acme.viewer, acme.editor]
    directory.place_in_unit(acme.below, users=members, actor=TEST)
    directory.join_group(acme.group, users=members, actor=TEST)
    directory.create_group(acme.organization, name="Left", actor=TEST)
    names = names_of(acme, catalogue)
    clients = [acme.client(user) for user in members]

    def pages_with_extras():
        """Open every page and return those that show what grow() made."""
        found = set()
        for url, numbers in QUERIES.items():
            for client, number in zip(clients, numbers, strict=True):
                if number is None:
                    continue
                with django_assert_num_queries(number, info=url):
                    answer = client.get(url.format(**names))
                assert answer.status_code == 200
                if "Extra" in answer.content.decode():
                    found.add(url)
        return found

    assert pages_with_extras() == set()
    grow(acme, catalogue)
    assert pages_with_extras() == {url for url in QUERIES if not url.endswith(SHOWS_NO_LIST)}


def test_a_license_that_was_never_allocated_here_is_nowhere(acme, globex, catalogue):
    license_of(catalogue, "Nowhere at all")
    elsewhere = license_of(catalogue, "Elsewhere only")
    services.assign(
        services.allocate(elsewhere, organization=globex.organization, actor=TEST),
        kind=ORGANIZATION,
        assignees=[globex.organization],
        actor=TEST,
    )
    client, names = acme.client(), names_of(acme, catalogue)

    for url, _ in QUERIES.items():
        shown = client.get(url.format(**names)).content.decode()
        assert ("Nowhere" in shown, "Elsewhere" in shown, "Globex" in shown) == (False, False, False), url
    assert "Elsewhere only" in globex.client().get("/licenses/").content.decode()

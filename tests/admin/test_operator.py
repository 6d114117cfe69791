"""What only the operator does: providers and accounts."""

from directory.models import Account
from licensing.models import Provider, StaffMember
from tests.admin.hands import audit, html, post, refusal, url


def test_the_operator_creates_a_provider_and_its_first_lead(operators, catalogue):
    post(operators, url(Provider, "add"), name="Third", slug="third", contact_email="", terms_url="")
    provider = Provider.objects.get(slug="third")
    assert audit("provider.created", target_id=provider.pk, actor_name="Olaf Operator").count() == 1
    member = {"provider": provider.pk, "email": "Lea@third.example", "name": "Lea Third", "is_lead": "on"}
    post(operators, url(StaffMember, "add"), **member)
    (lead,) = provider.staff_members.select_related("account")
    assert (lead.account.email, lead.is_lead, lead.account.is_staff) == ("lea@third.example", True, True)
    assert audit("provider.staff", target_id=provider.pk).count() == 1
    assert not audit("provider.changed").exists()
    assert operators.get(url(provider, "delete")).status_code == 403
    again = refusal(operators, url(Provider, "add"), name="Third", slug="third", contact_email="", terms_url="")
    assert again == {"slug": "A provider with this slug exists."}


def test_the_operator_creates_an_account_that_can_sign_in(operators):
    data = {"email": "New@Harbor.example", "name": "New Staff", "password": "short", "is_staff": "on"}
    assert set(refusal(operators, url(Account, "add"), **data)) == {"password"}
    post(operators, url(Account, "add"), **data | {"password": "correct-horse-battery"})
    account = Account.objects.get(email="new@harbor.example")
    assert (account.is_staff, account.is_superuser) == (True, False)
    assert account.check_password("correct-horse-battery")
    assert account.emailaddress_set.get().verified
    assert audit("account.created", target_id=account.pk).count() == 1
    page = html(operators, url(account))
    assert account.password not in page
    assert operators.post(url(account), data).status_code == 403
    assert set(refusal(operators, url(Account, "add"), **data | {"password": "correct-horse-battery"})) == {"email"}

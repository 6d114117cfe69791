from allauth.account.adapter import DefaultAccountAdapter


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request):
        """Accounts come from an organization or the operator, never from a stranger."""
        return False


def display_name(account):
    return account.name or account.email

"""What accounts do to themselves on the pages of allauth, for the audit log.

Those pages are no services of ours; allauth says by signals what was done there.
"""

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator

from .middleware import account_actor
from .services import record_own_act


def listen():
    """Begin to record; DirectoryConfig calls it once."""
    for signal, verb in [
        (account.password_changed, "account.password_changed"),
        (account.password_set, "account.password_changed"),
        (account.password_reset, "account.password_changed"),
        (account.email_changed, "account.address_changed"),
        (account.email_removed, "account.address_removed"),
    ]:
        _record_on(signal, verb, lambda user, **kwargs: user)
    # One that is only added lets nobody in.
    _record_on(account.email_confirmed, "account.address_confirmed", lambda email_address, **kwargs: email_address.user)
    _record_on(mfa.authenticator_added, "account.second_factor_on", _if_of(Authenticator.Type.TOTP))
    _record_on(mfa.authenticator_removed, "account.second_factor_off", _if_of(Authenticator.Type.TOTP))
    _record_on(mfa.authenticator_reset, "account.recovery_codes", _if_of(Authenticator.Type.RECOVERY_CODES))


def _record_on(signal, verb, whose):
    def receive(sender, request, **kwargs):
        if user := whose(**kwargs):
            record_own_act(user, verb, actor=account_actor(request, user))

    signal.connect(receive, weak=False, dispatch_uid=f"{verb} {id(signal)}")


def _if_of(kind):
    return lambda user, authenticator, **kwargs: authenticator.type == kind and user

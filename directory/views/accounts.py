"""One's own account, beside allauth's pages; and other people's passwords."""

from functools import partial

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.forms import Form
from django.shortcuts import redirect, render
from django.urls import reverse

from directory import services
from directory.decorators import admin_required
from directory.forms.accounts import NameForm
from portal.modals import add_error, run_modal

from .users import user_of


def profile(request):
    """Who one is, and where."""
    form = NameForm(request.POST if request.method == "POST" else None, initial={"name": request.user.name})
    if form.is_valid():
        try:
            account = services.rename_account(request.user, name=form.cleaned_data["name"], actor=request.actor)
        except ValidationError as error:
            add_error(form, error)
        else:
            messages.success(request, f"Your name is {account.name}.")
            return redirect("directory:profile")
    return render(request, "account/profile.html", {"form": form})


@admin_required
def reset_password(request, pk):
    user = user_of(request, pk)

    def say(stopped):
        mail = f"A mail with a link went to {user.account.email}."
        return f"The password of {user} does not work any more. {mail}" if stopped else mail

    return run_modal(
        request,
        "directory/reset_password.html",
        Form,
        title=f"Reset the password of {user}",
        save=partial(services.reset_password, user, actor=request.actor),
        say=say,
        back=reverse("directory:user_detail", args=[pk]),
        person=user,
        is_shared=user.account and services.is_shared(user.account, request.organization),
        is_self=user == request.member,
    )

"""The protocol of every modal, written once. A modal is a page: it has a URL and posts to itself, JavaScript or not."""

from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event


def run_modal(request, template, make_form, *, title, save, say, back, foresee=None, gone="", tell=None, **context):
    """Show a form; save what it holds; say what was done; close, and let the open page refresh itself.

    title: the act and the thing. make_form: called with the POST data or None. save: called with the form's
    cleaned_data as keywords; a ValidationError it raises is shown in the dialog. say: what save returned -> the
    outcome as a sentence. back: the URL of the page behind, for who opened the modal as a page. foresee: called with
    the form, checked if it holds anything, for what saving it would change (the template's `ledger`), or None; where
    that has grown since it was shown, the person is asked again. gone: the URL below which no page is there any more
    when it is done: from there one is led to `back`. tell: what save returned -> the context of <template>_done.html,
    where a sentence cannot say it all, or None. context: for the template.

    A POST with "look", "drop" or "names" only asks to see the form again, with what was entered and nothing found
    fault with: for what follows from a choice, and for searches.
    """
    form = make_form(request.POST if request.method == "POST" else None)
    is_valid = form.is_valid()
    ledger = foresee(form) if foresee else None
    if request.POST.keys() & {"look", "drop", "names"}:
        form.errors.clear()
    elif is_valid and ledger and (grown := ledger.grown(request.POST.get("shown", ""))):
        form.add_error(None, grown)
    elif is_valid:
        try:
            outcome = save(**form.cleaned_data)
        except ValidationError as error:
            add_error(form, error)
        else:
            if told := tell and tell(outcome):
                done = template.replace(".html", "_done.html")
                context = {"title": title, "next": next_page(request, back), **context, **told}
                return trigger_client_event(render(request, done, context), "portal-changed")
            messages.success(request, say(outcome))
            return close_modal(request, back, gone)
    return render(
        request, template, {"title": title, "form": form, "next": next_page(request, back), "ledger": ledger, **context}
    )


def close_modal(request, back, gone=""):
    """Answer a modal that did its work: the message, and one event on which the open page re-reads its own URL.

    Where that page lies below the URL `gone`, it is left for the URL `back`.
    """
    if not request.htmx:
        behind = next_page(request, back)
        return redirect(back if gone and behind.startswith(gone) else behind)
    if gone and (request.htmx.current_url_abs_path or "").startswith(gone):
        return HttpResponseClientRedirect(back)
    return trigger_client_event(render(request, "_messages_oob.html"), "portal-changed")


def add_error(form, error):
    """Show a service's ValidationError: at its field where the form has that field, else above them all."""
    by_field = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
    for field, errors in by_field.items():
        form.add_error(field if field in form.fields else None, errors)


def next_page(request, back):
    """Return where the person came from, if that is a page of ours."""
    url = request.POST.get("next") or request.GET.get("next") or back
    is_ours = url.startswith("/") and url_has_allowed_host_and_scheme(url, {request.get_host()}, request.is_secure())
    return url if is_ours else back

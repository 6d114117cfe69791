import uuid
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.shortcuts import resolve_url
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect


def headers(get_response):
    """Give each request an id, and each response the headers that no other middleware sets."""

    def middleware(request):
        request.id = uuid.uuid4().hex
        response = get_response(request)
        response.headers.setdefault("X-Request-ID", request.id)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        # The same URL answers a page or a fragment of it.
        patch_vary_headers(response, ["HX-Request"])
        return response

    return middleware


class SignInRequired(LoginRequiredMiddleware):
    """Every page needs a signed-in account, but for views marked login_not_required."""

    def process_view(self, request, view_func, view_args, view_kwargs):
        """Leave who is signed in alone where it makes no difference: Django's own looks it up before it asks that."""
        if not getattr(view_func, "login_required", True):
            return None
        return super().process_view(request, view_func, view_args, view_kwargs)

    def handle_no_permission(self, request, view_func):
        if not request.htmx:
            return super().handle_no_permission(request, view_func)
        # htmx would follow a redirect and show the sign-in page inside the dialog. Instead the browser goes there
        # as a whole, and afterwards comes back to the page behind the dialog.
        behind = request.htmx.current_url_abs_path or "/"
        return HttpResponseClientRedirect(f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': behind})}")

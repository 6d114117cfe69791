"""The portal's URLs, and views that answer a constant: what a request costs before it does anything."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from licensing.access.decisions import ask_prepared
from licensing.authzen.messages import question_in
from licensing.authzen.views import endpoint
from portal.urls import urlpatterns as portal

DECISION = {
    "decision": True,
    "context": {
        "reason": "allowed",
        "roles": [],
        "policies": ["Right 1"],
        "sources": [{"license": "License 01", "kind": "group", "name": "Planners"}],
        "evaluated_at": "2030-01-01T00:00:00.000Z",
    },
}


@csrf_exempt
@login_not_required
def decision(request):
    return JsonResponse(DECISION)


@endpoint
def select_1(secret, message):
    """What a decision costs when the database has nothing to find."""
    question_in(message)
    ask_prepared("SELECT 1", {})
    return DECISION


urlpatterns = [
    path("constant/", lambda request: HttpResponse("constant")),
    path("access/v1/constant", decision),
    path("access/v1/select-1", select_1),
    *portal,
]

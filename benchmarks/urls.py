"""The portal's URLs, and a view that answers a constant: what a request costs before it does anything."""

from django.http import HttpResponse
from django.urls import path

from portal.urls import urlpatterns as portal

urlpatterns = [path("constant/", lambda request: HttpResponse("constant")), *portal]

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from directory.decorators import viewer_required
from portal.audit.views import activity

admin.autodiscover()
admin.site.login = secure_admin_login(
    admin.site.login
)  # one way to sign in: with the second factor and the rate limits
admin.site.site_header = admin.site.site_title = "Customer Portal"

urlpatterns = [
    path("", include("directory.urls")),
    path("", include("licensing.urls")),
    path("activity/", include(([path("", viewer_required(activity), name="activity")], "audit"))),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]

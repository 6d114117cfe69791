from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.models import Group
from django.urls import include, path
from django.views.generic import RedirectView

from directory.decorators import viewer_required
from portal.audit.views import activity, activity_csv
from portal.design import design

# Pages that come with packages, and would write without a service and its audit entry.
admin.site.unregister([Authenticator, EmailAddress, Group, UserSession])
admin.site.login = secure_admin_login(
    admin.site.login
)  # one way to sign in: with the second factor and the rate limits
admin.site.password_change = RedirectView.as_view(pattern_name="account_change_password")  # and to change it
admin.site.site_header = admin.site.site_title = "Customer Portal"
admin.site.site_url = None  # templates/admin/base_site.html has the link to the portal

activity_urls = [
    path("activity/", viewer_required(activity), name="activity"),
    path("activity.csv", viewer_required(activity_csv), name="activity_csv"),
]
urlpatterns = [
    path("", include("directory.urls")),
    path("users/import/", include("directory.imports.urls")),
    path("", include("licensing.urls")),
    path("", include("licensing.authzen.urls")),
    path("", include((activity_urls, "audit"))),
    path("accounts/", include("allauth.urls")),
    path("design/", design, name="design"),
    path("design/<slug:dialog>/", design, name="design_dialog"),
    path("admin/", admin.site.urls),
]

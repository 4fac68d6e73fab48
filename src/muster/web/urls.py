"""The addresses of the jobs' pages."""

from django.urls import path, re_path

from muster.web import pages
from muster.web.overview import overview

app_name = "web"
urlpatterns = [
    path("", overview, name="overview"),
    path("undo/<slug:undo_id>", pages.undo_it, name="undo"),
    path("columns/<slug:table>", pages.columns, name="columns"),
    path("find", pages.find, name="find"),
    path("jobs/", pages.jobs, name="jobs"),
    path("jobs/<slug:job_id>/", pages.job, name="job"),
    re_path(r"^jobs/(?P<job_id>[-\w]+)/(?P<wish>cancel|pause|resume|retry)$", pages.change, name="change_job"),
]

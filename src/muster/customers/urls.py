"""Addresses of the pages of customers."""

from __future__ import annotations

from django.urls import path

from muster.customers.people.pages import find, person, timeline

app_name = "customers"
urlpatterns = [
    path("customers/", find.show_find, name="find"),
    path("customers/<slug:customer_id>/", person.show_person, name="customer"),
    path("customers/<slug:customer_id>/timeline/", timeline.show_timeline, name="timeline"),
]

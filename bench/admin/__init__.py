"""Django's own admin over groups: what the pages' cost is compared with. Nothing of Muster imports it."""

"""What a browser sees of groups; one module a page."""

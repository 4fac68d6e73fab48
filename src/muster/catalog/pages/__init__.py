"""The pages of apps: what they are, what they sell, and the words their data brings."""

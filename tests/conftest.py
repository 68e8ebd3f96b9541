"""What every test shares."""

from hypothesis import settings

# A deadline measures the machine, not the code; a slow build server must not fail a property.
settings.register_profile("holdfast", deadline=None, print_blob=True)
settings.load_profile("holdfast")

pytest_plugins = ["tests.servers.fixtures"]

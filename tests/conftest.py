"""What holds for all tests."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: an open browser keeps an event loop running, which async tests would meet."""
    items.sort(key=lambda item: "e2e" in item.path.parts)

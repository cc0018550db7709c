"""What several rooms of the pipeline begin with."""

import pytest
from django.core.cache import cache

from tests.conftest import House
from tests.pipeline.shared_plan import Share


@pytest.fixture
def share(house: House) -> Share:
    """A close plan with one link; limits of attempts begin anew."""
    cache.clear()
    return Share(house)

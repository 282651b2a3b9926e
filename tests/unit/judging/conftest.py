import pytest

from refashion.judging.claims import families


@pytest.fixture(autouse=True, scope="module")
def few_repetitions():
    """The operating characteristics are simulated; their precision is not tested here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(families, "REPETITIONS", 50)
        yield

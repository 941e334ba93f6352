"""Tests. Rooms with fixtures are read by pytest before others import them, so that what they assert is explained."""

import pytest

pytest.register_assert_rewrite("tests.world", "tests.service")

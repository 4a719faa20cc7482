"""What Ray's part says where there is no Ray."""

import importlib.util

import pytest


@pytest.mark.skipif(importlib.util.find_spec("ray") is not None, reason="Ray is installed")
def test_the_import_says_what_to_install():
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'requel\[ray\]'"):
        import requel.ray  # noqa: F401

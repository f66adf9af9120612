"""Settings of torch that a variant's code changes are seen, and put back."""

from __future__ import annotations

import warnings

import pytest
import torch

from ganbench.machine.torch_settings import preserved_settings, settings


def changed(before, after):
    return {name for name in before if before[name] != after[name]}


CHANGES = {
    "the default dtype": lambda: torch.set_default_dtype(torch.float64),
    "the default device": lambda: torch.set_default_device("meta"),
    "gradients": lambda: torch.set_grad_enabled(False),
    "the number of threads": lambda: torch.set_num_threads(torch.get_num_threads() + 1),
    "deterministic algorithms": lambda: torch.use_deterministic_algorithms(True, warn_only=True),
    "anomaly detection": lambda: torch.autograd.set_detect_anomaly(True),
    "TF32 in cuDNN": lambda: setattr(
        torch.backends.cudnn, "allow_tf32", not torch.backends.cudnn.allow_tf32
    ),
    "the cuDNN benchmark": lambda: setattr(torch.backends.cudnn, "benchmark", True),
    "deterministic cuDNN": lambda: setattr(torch.backends.cudnn, "deterministic", True),
    "cuDNN": lambda: setattr(torch.backends.cudnn, "enabled", False),
    "the filters of warnings": lambda: warnings.simplefilter("ignore"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_setting_that_is_changed_is_named_and_put_back(name):
    before = settings()
    with preserved_settings():
        with warnings.catch_warnings(action="ignore"):  # torch warns of anomaly detection
            if name != "the filters of warnings":
                CHANGES[name]()
        if name == "the filters of warnings":
            CHANGES[name]()
        assert changed(before, settings()) == {name}
    assert settings() == before


def test_rounded_products_are_seen_by_either_of_their_names():
    before = settings()
    with preserved_settings():
        torch.set_float32_matmul_precision("high")
        both = {"the float32 precision", "TF32 in matrix products"}
        assert changed(before, settings()) == both
    assert settings() == before


@pytest.mark.skipif(
    not hasattr(torch.backends, "fp32_precision"), reason="torch 2.9 brought these names"
)
def test_the_newer_names_of_precision_are_put_back_too():
    before = settings()
    with preserved_settings():
        torch.backends.cuda.matmul.fp32_precision = "tf32"
        torch.backends.fp32_precision = "tf32"
        assert "the precision of all backends" in changed(before, settings())
    assert settings() == before


def test_settings_are_put_back_after_an_error_too():
    def interrupted():
        with preserved_settings():
            torch.set_default_dtype(torch.float64)
            raise KeyboardInterrupt

    before = settings()
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert settings() == before


def test_a_filter_of_a_librarys_own_warnings_is_no_change():
    class OwnWarning(UserWarning):
        """Of some library."""

    before = settings()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OwnWarning)
        warnings.filterwarnings("ignore", message="numpy.ndarray size changed")
        assert settings() == before

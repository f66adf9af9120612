"""The adversarial training loop that all variants share, its step and its clock."""

"""Networks that turn images into features, and the classifier that names their class."""

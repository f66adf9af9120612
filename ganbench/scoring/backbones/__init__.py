"""Networks that turn images into features, and the dataset's classifier."""

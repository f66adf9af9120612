"""A local page to play with trained generators: samples, latent space, nearest training images."""

"""How fast Parcours is, measured on the machine at hand by `make bench`; README.md has the figures."""

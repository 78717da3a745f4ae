"""How fast Parcours is, measured on the machine at hand; `make bench` runs everything, bench/README.md has the figures."""

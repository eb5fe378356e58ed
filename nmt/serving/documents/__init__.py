"""Documents that are translated as jobs: any replica may work on any of them."""

"""Human ratings of translations: blind sheets, their import, and what follows from the ratings."""

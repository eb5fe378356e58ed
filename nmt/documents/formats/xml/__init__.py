"""XML by its bytes: what is where, so that a part can be replaced and the rest stays as it is."""

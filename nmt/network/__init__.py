"""Quick checks of the network, made before a client starts that retries for minutes."""

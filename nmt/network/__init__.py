"""Short checks of the network, before a client that tries for minutes."""

"""The engines that a replica holds, and the routes that they answer."""

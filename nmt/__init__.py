"""Fine-tune, evaluate and serve machine-translation models; imports neither ray nor kubernetes."""

__version__ = "0.1.0"

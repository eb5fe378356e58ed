"""From a release and a request to Kubernetes objects."""

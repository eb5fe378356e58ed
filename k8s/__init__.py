"""The command `nmt-k8s`: jobs on Kubernetes, over the official client; never imports ray_jobs."""

"""The console command `nmt-k8s`."""

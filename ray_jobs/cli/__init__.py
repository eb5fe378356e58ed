"""The console command `nmt`."""

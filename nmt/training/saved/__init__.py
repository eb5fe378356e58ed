"""What a training leaves on the storage root."""

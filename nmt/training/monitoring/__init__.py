"""What a training writes about itself: progress lines, TensorBoard events and MLflow runs."""

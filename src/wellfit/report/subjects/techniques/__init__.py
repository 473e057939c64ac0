"""What the terms mean."""

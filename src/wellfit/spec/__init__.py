"""What a study asks: study files, settings, variants, and messages about mistakes in them."""

"""What is asked: study files, overlays, --set, messages."""

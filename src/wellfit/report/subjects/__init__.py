"""What a report shows, subject by subject: numbers, figures and template side by side."""

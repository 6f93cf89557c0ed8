"""What s6x costs, beside the originals in the same run: ``python -m benches [NAME ...]``."""

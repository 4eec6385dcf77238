"""What the SQL engines of the local workspace are made of."""

"""Tasks of jobs: Python files and notebooks, run as Databricks would, by the local workspace."""

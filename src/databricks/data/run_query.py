"""Runs one statement of SQL on Spark. The statement and its parameters are those of the Statement Execution API."""
import json

from pyspark.sql import SparkSession

READ = {"STRING": str, "BIGINT": int, "DOUBLE": float, "BOOLEAN": lambda text: text == "true"}

query = json.loads(QUERY)
values = {parameter["name"]: READ[parameter["type"]](parameter["value"]) for parameter in query["parameters"]}
SparkSession.builder.getOrCreate().sql(query["statement"], args=values)

"""`spark`, made when it is first used: a notebook that does not use it needs no PySpark."""


class LazySpark:
    def __getattr__(self, name):
        return getattr(_session(), name)


def _session():
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise ImportError("this Python has no PySpark. Install it with: npx lakelet-workspace fetch spark") from None
    return SparkSession.builder.getOrCreate()


spark = LazySpark()

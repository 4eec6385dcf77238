"""`ai_query` as functions of a Spark session."""

import pyarrow as pa
from pyspark.sql.functions import arrow_udf


def rows_of(endpoint, request, parameters, response_format):
    count = len(request)

    def values(column):
        return [None] * count if column is None else column.to_pylist()

    return zip(endpoint.to_pylist(), request.to_pylist(), values(parameters), values(response_format))


def register_ai_query(session, endpoint):
    """Registers `ai_query`, which fails with its first error, and the form of it that gives errors as values.

    Their parameters have the names that SQL calls them by.
    """

    def ai_query(endpoint_name, request, returnType=None, failOnError=None, modelParameters=None, responseFormat=None):
        answers = endpoint.answers(rows_of(endpoint_name, request, modelParameters, responseFormat))
        for _, error in answers:
            if error is not None:
                raise RuntimeError(error)
        return pa.array([answer for answer, _ in answers], pa.string())

    def ai_query_result(endpoint_name, request, returnType=None, failOnError=None, modelParameters=None, responseFormat=None):
        answers = endpoint.answers(rows_of(endpoint_name, request, modelParameters, responseFormat))
        kind = pa.struct([("result", pa.string()), ("errorMessage", pa.string())])
        return pa.array([{"result": answer, "errorMessage": error} for answer, error in answers], kind)

    session.udf.register("ai_query", arrow_udf(ai_query, "string").asNondeterministic())
    session.udf.register("lakelet_ai_query_result", arrow_udf(ai_query_result, "result string, errorMessage string").asNondeterministic())

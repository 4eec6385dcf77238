"""Stands for `ai_query` in Spark, which runs it in processes of its own."""
import json


def ai_query(endpoint, request, returnType=None, failOnError=None, modelParameters=None, responseFormat=None):
    """The endpoint `echo` says what it was asked, `copy` says what follows the last input's header, and fails where that begins with FAIL."""
    request = {"text": request} if isinstance(request, str) else request.asDict(recursive=True)
    if endpoint == "echo":
        parameters = modelParameters.asDict(recursive=True) if modelParameters is not None else None
        return json.dumps({**request, "parameters": parameters, "format": responseFormat}, default=float), None
    user = request["text"]
    text = user.rsplit("[[ ## reply ## ]]\n", 1)[1].split("\n\nRespond with")[0]
    return (None, text.removeprefix("FAIL ")) if text.startswith("FAIL ") else (text, None)

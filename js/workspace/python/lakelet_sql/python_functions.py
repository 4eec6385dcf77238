"""Functions of the catalog that are written in Python: https://docs.databricks.com/udf/unity-catalog"""

import textwrap

from .errors import SqlError


def compiled(name, parameters, body):
    """The Python function with this body, which returns its value. Its parameters have the names that the catalog gives them."""
    names = ", ".join(parameter["name"] for parameter in parameters)
    source = f"def function({names}):\n{textwrap.indent(textwrap.dedent(body).strip() or 'return None', '    ')}\n"
    namespace = {}
    try:
        exec(compile(source, f"<function {name}>", "exec"), namespace)  # noqa: S102: running it is what the caller asks for
    except (SyntaxError, ValueError) as error:
        raise SqlError("PYTHON_SYNTAX_ERROR", "42601", f"The body of function `{name}` is not Python: {error}.") from error
    return namespace["function"]


def plain_name(catalog, schema, name):
    """The one-part name that engines register such a function by."""
    return f"lakelet_python_{catalog}_{schema}_{name}".replace("-", "_")

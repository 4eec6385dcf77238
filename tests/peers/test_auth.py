"""The official SDK signs in to the local workspace by each way, and Lakelet chooses the way that it chooses."""
import http.server
import json
import os
import re
import subprocess
import tempfile
import threading
import unittest
import urllib.error
import urllib.parse
import urllib.request
import warnings
from pathlib import Path
from unittest import mock

from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config

HOST = os.environ["WORKSPACE_URL"]
# Signed by an issuer whom the workspace trusts: for the service principal `peer`, and for the user Ada.
PRINCIPAL_JWT, USER_JWT = os.environ["PRINCIPAL_JWT"], os.environ["USER_JWT"]
OWNER = "local-user@example.com"


def approve(url, *_args, **_kwargs):
    """What the user does in the browser: reads the page, allows it, and lets the browser follow."""

    def click():
        page = urllib.request.urlopen(url).read().decode()
        ticket = re.search(r'name="ticket" value="([^"]+)"', page).group(1)
        form = urllib.parse.urlencode({"ticket": ticket, "decision": "approve"}).encode()
        urllib.request.urlopen(f"{HOST}/oidc/v1/authorize", form).read()

    def until_someone_listens():
        while True:
            try:
                return click()
            except urllib.error.URLError as error:
                if not isinstance(error.reason, ConnectionRefusedError):
                    raise

    threading.Thread(target=until_someone_listens, daemon=True).start()
    return True


class GitHub(http.server.BaseHTTPRequestHandler):
    """The token service of GitHub Actions."""

    def do_GET(self):
        body = json.dumps({"value": PRINCIPAL_JWT}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args):
        pass


class Quiet(unittest.TestCase):
    def setUp(self):
        warnings.simplefilter("ignore", ResourceWarning)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.home = Path(folder.name)

    def file(self, name, text):
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return str(path)

    def environment(self, variables):
        """No variables but these, and a home directory of their own."""
        return mock.patch.dict(os.environ, {"HOME": str(self.home), "PATH": "", **variables}, clear=True)


class SignsIn(Quiet):
    def signs_in(self, auth_type, variables, user):
        with self.environment({"DATABRICKS_HOST": HOST, **variables}):
            client = WorkspaceClient()
            self.assertEqual(client.config.auth_type, auth_type)
            self.assertEqual(client.current_user.me().user_name, user)
            return client

    def test_with_a_token(self):
        self.signs_in("pat", {"DATABRICKS_TOKEN": "dapi-peers"}, OWNER)

    def test_as_a_service_principal(self):
        self.signs_in("oauth-m2m", {"DATABRICKS_CLIENT_ID": "peer", "DATABRICKS_CLIENT_SECRET": "peer-secret"}, "peer")

    def test_with_a_token_of_another_issuer(self):
        self.signs_in("env-oidc", {"DATABRICKS_OIDC_TOKEN": PRINCIPAL_JWT, "DATABRICKS_CLIENT_ID": "peer"}, "peer")
        self.signs_in("env-oidc", {"DATABRICKS_OIDC_TOKEN_ENV": "MINE", "MINE": USER_JWT}, "ada@example.com")
        path = self.file("token", USER_JWT)
        self.signs_in("file-oidc", {"DATABRICKS_OIDC_TOKEN_FILEPATH": path}, "ada@example.com")

    def test_from_github(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), GitHub)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        url = f"http://127.0.0.1:{server.server_port}/token?api-version=2.0"
        variables = {"ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t", "ACTIONS_ID_TOKEN_REQUEST_URL": url, "DATABRICKS_CLIENT_ID": "peer"}
        self.signs_in("github-oidc", variables, "peer")

    def test_in_the_browser_and_again_with_the_refresh_token(self):
        with mock.patch("webbrowser.open_new", approve) as opened:
            client = self.signs_in("external-browser", {"DATABRICKS_AUTH_TYPE": "external-browser"}, OWNER)
        source = client.config._header_factory.__closure__
        credentials = next(cell.cell_contents for cell in source if hasattr(cell.cell_contents, "refresh"))
        renewed = credentials.refresh()
        self.assertNotEqual(renewed.access_token, credentials.token().access_token)
        me = WorkspaceClient(host=HOST, token=renewed.access_token, auth_type="pat").current_user.me()
        self.assertEqual(me.user_name, OWNER)

    def test_in_a_model_serving_container(self):
        self.file("creds/model-dependencies-oauth-token", json.dumps({"OAUTH_TOKEN": [{"oauthTokenValue": "dapi-peers"}]}))
        variables = {"IS_IN_DB_MODEL_SERVING_ENV": "true", "SERVING_CREDENTIALS_DIR": str(self.home / "creds")}
        self.signs_in("model-serving", variables, OWNER)

    def test_is_told_why_not(self):
        with self.environment({}):
            with self.assertRaisesRegex(ValueError, "invalid_client"):
                WorkspaceClient(host=HOST, client_id="peer", client_secret="wrong").current_user.me()
            with self.assertRaisesRegex(ValueError, "Invalid scope: everything"):
                WorkspaceClient(host=HOST, client_id="peer", client_secret="peer-secret", scopes=["everything"]).current_user.me()


PROFILES = f"""
[DEFAULT]
host = {HOST}
token = dapi-default

[principal]
host: {HOST}
client_id = peer
client_secret = peer-secret

[half]
host = {HOST}
client_id = peer

[azure]
host = {HOST}
azure_client_id = a
azure_client_secret = b
azure_tenant_id = c

[chosen]
host = {HOST}
token = dapi
client_id = peer
client_secret = peer-secret
auth_type = oauth-m2m
"""
H, T = {"DATABRICKS_HOST": HOST}, {"DATABRICKS_TOKEN": "dapi"}
ID, SECRET = {"DATABRICKS_CLIENT_ID": "peer"}, {"DATABRICKS_CLIENT_SECRET": "peer-secret"}
BASIC = {"DATABRICKS_USERNAME": "u", "DATABRICKS_PASSWORD": "p"}
AZURE = {"ARM_CLIENT_ID": "a", "ARM_CLIENT_SECRET": "b", "ARM_TENANT_ID": "c"}
JWT = {"DATABRICKS_OIDC_TOKEN": "a.b.c"}

# Options (by the SDK's names), variables, and whether ~/.databrickscfg is there.
CASES = [
    ({}, {}, False),
    ({}, {}, True),
    ({}, H, False),
    ({}, H, True),
    ({}, T, True),
    ({}, H | T, False),
    ({}, H | T, True),
    ({"host": HOST}, T, False),
    ({"host": HOST, "token": "dapi"}, {}, False),
    ({"token": "dapi"}, H, True),
    ({}, H | {"DATABRICKS_TOKEN": ""}, False),
    ({}, H | ID | SECRET, False),
    ({}, H | ID, False),
    ({}, H | SECRET, False),
    ({"client_id": "peer"}, H | SECRET, False),
    ({}, H | T | ID | SECRET, False),
    ({}, H | T | ID, False),
    ({"token": "dapi"}, H | ID | SECRET, False),
    ({"auth_type": "pat"}, H | T | ID | SECRET, False),
    ({"auth_type": "oauth-m2m"}, H | T | ID | SECRET, False),
    ({}, H | T | ID | SECRET | {"DATABRICKS_AUTH_TYPE": "oauth-m2m"}, False),
    ({"auth_type": "pat"}, H | ID | SECRET, False),
    ({"auth_type": "no-such-type"}, H | T, False),
    ({"profile": "principal"}, {}, True),
    ({"profile": "principal"}, T, True),
    ({"profile": "principal"}, H, True),
    ({}, {"DATABRICKS_CONFIG_PROFILE": "principal"}, True),
    ({"profile": "DEFAULT"}, {"DATABRICKS_CONFIG_PROFILE": "principal"}, True),
    ({"profile": "half"}, {}, True),
    ({"profile": "half"}, SECRET, True),
    ({"profile": "chosen"}, {}, True),
    ({"profile": "nobody"}, {}, True),
    ({"profile": "__settings__"}, {}, True),
    ({"profile": "azure"}, {}, True),
    ({}, H | AZURE, False),
    ({}, H | AZURE | T, False),
    ({}, H | BASIC, False),
    ({}, H | BASIC | T, False),
    ({}, H | JWT, False),
    ({}, H | JWT | ID, False),
    ({}, H | JWT | ID | SECRET, False),
    ({}, H | JWT | T, False),
    ({}, H | {"DATABRICKS_OIDC_TOKEN_ENV": "MINE", "MINE": "a.b.c"}, False),
    ({}, H | {"DATABRICKS_OIDC_TOKEN_ENV": "MINE"}, False),
    ({"oidc_token_env": "MINE"}, H | {"MINE": "a.b.c"} | T, False),
    ({}, H | {"DATABRICKS_OIDC_TOKEN_FILEPATH": "~token"}, False),
    ({}, H | {"DATABRICKS_OIDC_TOKEN_FILE": "~token"}, False),
    ({}, H | {"DATABRICKS_OIDC_TOKEN_FILEPATH": "/no/such/file"}, False),
    ({"auth_type": "file-oidc"}, H | ID | {"DATABRICKS_OIDC_TOKEN_FILEPATH": "~token"}, False),
    ({}, H | ID | {"DATABRICKS_OIDC_TOKEN_FILEPATH": "~token"}, False),
    ({}, H | {"IS_IN_DB_MODEL_SERVING_ENV": "true", "SERVING_CREDENTIALS_DIR": "~creds"}, False),
    ({}, {"IS_IN_DATABRICKS_MODEL_SERVING_ENV": "true", "SERVING_CREDENTIALS_DIR": "~creds", "DB_MODEL_SERVING_HOST_URL": HOST}, False),
    ({}, H | {"IS_IN_DB_MODEL_SERVING_ENV": "false", "SERVING_CREDENTIALS_DIR": "~creds"}, False),
    ({"host": HOST + "/"}, T, False),
]


def kind(message):
    """What an error is about, in whichever words: the ways that are doubled, the profile that is not there, or nothing configured."""
    doubled = re.search(r"more than one authorization method configured: [\w -]+", message)
    if doubled:
        return doubled.group(0)
    profile = re.search(r"has no \w+ profile configured|reserved section name", message)
    return profile.group(0) if profile else "nothing is configured"


class ChoosesAlike(Quiet):
    def outcome_of_sdk(self, options, variables):
        with self.environment(variables):
            try:
                config = Config(**options)
                return {"authType": config.auth_type, "host": config.host}
            except ValueError as error:
                return {"error": str(error)}

    def test_among_options_variables_and_profiles(self):
        self.file("token", "a.b.c")
        self.file("creds/model-dependencies-oauth-token", json.dumps({"OAUTH_TOKEN": [{"oauthTokenValue": "dapi"}]}))
        bare = tempfile.TemporaryDirectory()
        self.addCleanup(bare.cleanup)
        self.file(".databrickscfg", PROFILES)
        cases, expected = [], []
        for options, variables, has_profiles in CASES:
            variables = {name: value.replace("~", f"{self.home}/") for name, value in variables.items()}
            variables["HOME"] = str(self.home) if has_profiles else bare.name
            expected.append(self.outcome_of_sdk(options, variables))
            camel = {re.sub(r"_(.)", lambda match: match.group(1).upper(), name): value for name, value in options.items()}
            cases.append({"options": camel, "environment": variables})
        script = Path(__file__).with_name("resolve.mjs")
        ours = subprocess.run(["node", str(script)], input=json.dumps(cases), capture_output=True, text=True, check=True)
        for case, theirs, mine in zip(CASES, expected, json.loads(ours.stdout), strict=True):
            with self.subTest(case=case):
                self.compare(theirs, mine)

    def compare(self, theirs, mine):
        declined = re.search(r"Lakelet does not authenticate by `([\w-]+)`", mine.get("error", ""))
        if declined:
            # What Lakelet lacks is named as the SDK chose it, or failed with it.
            self.assertIn(declined.group(1), theirs.get("authType") or theirs["error"])
        elif "error" in theirs:
            self.assertEqual(kind(mine.get("error", f"{mine} was taken")), kind(theirs["error"]))
        else:
            self.assertEqual(mine, theirs)


if __name__ == "__main__":
    unittest.main()

"""The providers' own specifications as judges of requests: OpenAPI 3, Swagger 2, the AWS service
model and SparkPost's API Blueprint, each made a JSON Schema. What a specification does not name is
held to be wrong, so that a misspelt field is found even where the provider would overlook it."""

import base64
import dataclasses
import email
import email.policy
import json
import re
import urllib.parse

import jsonschema
import yaml

from . import process

SHIPPED = process.ROOT / "tests" / "data" / "openapi"
# Those whose licence does not let us ship them.
BESIDE = process.ROOT.parent / "shared" / "reference" / "openapi"


def load(file):
    text = file.read_text()
    return json.loads(text) if file.suffix == ".json" else yaml.load(text, yaml.CSafeLoader)


class OpenApi:
    """One operation of an OpenAPI 3 or Swagger 2 document."""

    def __init__(self, file, path, base=None):
        """`base`: where the API is, if that is not what the document says."""
        self.document = load(file)
        self.path = path
        self.base = base
        self.operation = self.document["paths"][path]["post"]

    def schema(self, media_type):
        if "swagger" in self.document:
            (body,) = (p for p in self._parameters() if p["in"] == "body")
            return self._strict(body["schema"])
        content = self._resolved(self.operation["requestBody"])["content"]
        return self._strict(content[media_type]["schema"])

    def problems_of_envelope(self, request):
        """Method, path, required parameters and credentials."""
        if request["method"] != "POST":
            yield f"method {request['method']}"
        if not any(re.fullmatch(base + self._path_pattern(), request["url"]) for base in self._bases()):
            yield f"{request['url']} is not {self.path} of {self._bases()}"
        headers = {name.lower(): value for name, value in request["headers"].items()}
        for one in self._parameters():
            if one["in"] == "header":
                yield from self._problems_of_field(one, headers.get(one["name"].lower()))
        ways = self.operation.get("security", self.document.get("security", []))
        if ways and not any(all(self._has(headers, name) for name in way) for way in ways):
            yield f"no credentials as in {ways}"

    def _problems_of_field(self, parameter, value):
        if value is None and parameter.get("required"):
            yield f"no header field {parameter['name']}"
        if value is not None:
            for error in jsonschema.Draft202012Validator(parameter["schema"]).iter_errors(value):
                yield f"{parameter['name']}: {error.message}"

    def _bases(self):
        if self.base:
            return [re.escape(self.base)]
        if "swagger" in self.document:
            return [re.escape("https://" + self.document["host"] + self.document["basePath"])]
        urls = (server["url"].rstrip("/") for server in self.document["servers"])
        return [re.escape("https:" + url if url.startswith("//") else url) for url in urls]

    def _path_pattern(self):
        return re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(self.path))

    def _parameters(self):
        return [self._resolved(one) for one in self.operation.get("parameters", [])]

    def _has(self, headers, scheme_name):
        schemes = self.document.get("securityDefinitions") or self.document["components"]["securitySchemes"]
        scheme = schemes[scheme_name]
        if scheme["type"] == "apiKey":
            return scheme["name"].lower() in headers
        return headers.get("authorization", "").lower().startswith(scheme["scheme"].lower() + " ")

    def _resolved(self, value):
        while "$ref" in value:
            target = self.document
            for step in value["$ref"].removeprefix("#/").split("/"):
                target = target[step.replace("~1", "/").replace("~0", "~")]
            value = {**target, **{key: one for key, one in value.items() if key != "$ref"}}
        return value

    def _strict(self, schema):
        schema = dict(self._resolved(schema))
        for part in schema.pop("allOf", []):
            part = self._strict(part)
            schema["properties"] = {**schema.get("properties", {}), **part.pop("properties", {})}
            schema["required"] = schema.get("required", []) + part.pop("required", [])
            schema = {**part, **schema}
        if schema.pop("nullable", False) and "type" in schema:
            schema["type"] = [schema["type"], "null"]
        if schema.get("properties"):
            schema["properties"] = {k: self._strict(one) for k, one in schema["properties"].items()}
            schema.setdefault("additionalProperties", False)
        if "items" in schema:
            schema["items"] = self._strict(schema["items"])
        for key in ("oneOf", "anyOf"):
            if key in schema:
                schema[key] = [self._strict(one) for one in schema[key]]
        return schema


class AwsModel:
    """SendEmail of the service model of SES."""

    def __init__(self, file):
        document = load(file)
        self.shapes = document["shapes"]
        self.operation = document["operations"]["SendEmail"]

    def schema(self, media_type):
        assert media_type == "application/json"
        return self._schema(self.operation["input"]["shape"])

    def problems_of_envelope(self, request):
        http = self.operation["http"]
        url = urllib.parse.urlsplit(request["url"])
        if (request["method"], url.path) != (http["method"], http["requestUri"]):
            yield f"{request['method']} {url.path} is not {http}"
        if not request["headers"].get("Authorization", "").startswith("AWS4-HMAC-SHA256 "):
            yield "no signature of version 4"

    def _schema(self, name):
        shape = self.shapes[name]
        kind = shape["type"]
        if kind == "structure":
            members = {key: self._schema(one["shape"]) for key, one in shape["members"].items()}
            return {"type": "object", "properties": members, "additionalProperties": False,
                    "required": shape.get("required", [])}  # fmt: skip
        if kind == "list":
            return {"type": "array", "items": self._schema(shape["member"]["shape"])}
        if kind == "blob":
            return {"type": "string", "format": "byte"}
        schema = {"type": kind}
        for key, meaning in (("min", "minLength"), ("max", "maxLength"), ("pattern", "pattern"), ("enum", "enum")):
            if key in shape:
                schema[meaning] = shape[key]
        return schema


class Blueprint:
    """Transmissions of SparkPost: the data structures of its API Blueprint, which are lists of
    `+ name (type, required) - words`, nested by their indentation."""

    TYPES = {"string", "object", "array", "boolean", "number"}

    def __init__(self, folder):
        self.transmissions = (folder / "transmissions.apib").read_text()
        self.lists = (folder / "recipient-lists.apib").read_text()

    def schema(self, media_type):
        assert media_type == "application/json"
        recipient = self._structure(self.lists, "### Recipient Object")
        recipient["properties"]["address"]["anyOf"] = [
            {"type": "string"}, self._structure(self.lists, "### Address Object")]  # fmt: skip
        body = self._structure(self.transmissions, "### Request Body")
        body["properties"]["recipients"] = {"type": "array", "items": recipient}
        body["properties"]["content"] = self._structure(self.transmissions, "RFC 822 Content", "")
        return body

    def problems_of_envelope(self, request):
        path = re.search(r"\[POST /v1(/transmissions)", self.transmissions).group(1)
        if (request["method"], request["url"]) != ("POST", "https://api.sparkpost.com/api/v1" + path):
            yield f"{request['method']} {request['url']}"
        if "Authorization" not in request["headers"]:
            yield "no key"

    def _structure(self, text, title, mark="+ Data Structure"):
        lines = iter(text[text.index(mark, text.index(title)) :].splitlines()[1:])
        entry = re.compile(r"^( +)\+ (?:(\w+) )?\(([^)]*)\)")
        root = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
        above = [(0, root)]
        for line in lines:
            if line and not line.startswith("  "):
                break
            found = entry.match(line)
            if not found:
                continue
            indent, name, kind = len(found[1]), found[2], found[3]
            while above[-1][0] >= indent:
                above.pop()
            parent = above[-1][1]
            words = re.split(r", ?", kind)
            schema = {"type": words[0]} if words[0] in self.TYPES else {}
            if name:
                parent.setdefault("properties", {})[name] = schema
                if parent is not root:
                    parent["additionalProperties"] = False
                if "required" in words:
                    parent.setdefault("required", []).append(name)
            above.append((indent, schema))
        assert root["properties"], title
        return root


formats = jsonschema.FormatChecker()


@formats.checks("byte", ValueError)
def _is_base64(value):
    base64.b64decode(value, validate=True)
    return True


@formats.checks("email", AssertionError)
def _is_address(value):
    assert re.fullmatch(r"[^\s@<>]+@[^\s@<>]+", value)
    return True


def form_fields(octets, content_type):
    """A multipart form as a mapping; a name that stands more than once has a list."""
    form = email.message_from_bytes(
        b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + octets, policy=email.policy.HTTP)
    assert not form.defects, form.defects
    fields = {}
    for part in form.iter_parts():
        name = part.get_param("name", header="content-disposition")
        value = part.get_payload(decode=True) or part.get_payload()[0].as_bytes()
        fields.setdefault(name, []).append(value.decode("latin-1"))
    return {name: values[0] if len(values) == 1 else values for name, values in fields.items()}


def problems(specification, request, more=()):
    """What the specification has against a request; `more` are names at its root that are known
    to be right though the specification lacks them (regular expressions)."""
    content_type = next(v for k, v in request["headers"].items() if k.lower() == "content-type")
    media_type = content_type.split(";")[0].strip()
    octets = base64.b64decode(request["body"])
    schema = specification.schema(media_type)
    if media_type == "multipart/form-data":
        body = form_fields(octets, content_type)
        for name, one in schema["properties"].items():  # one value of a list is no list
            if one.get("type") == "array" and isinstance(body.get(name), str):
                body[name] = [body[name]]
        schema["additionalProperties"] = False
    else:
        body = json.loads(octets)
    if more:
        schema["patternProperties"] = {f"^{name}$": {} for name in more}
    validator = jsonschema.Draft202012Validator(schema, format_checker=formats)
    found = [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:300]}" for e in validator.iter_errors(body)]
    return list(specification.problems_of_envelope(request)) + found


@dataclasses.dataclass
class Judge:
    read: object  # makes a specification of a file or folder
    file: str
    shipped: bool = True
    # Names that the provider's pages have, but not its specification (regular expressions).
    more: tuple = ()

    @property
    def place(self):
        """Where the specification is; it may not be there, if it is not shipped."""
        return (SHIPPED if self.shipped else BESIDE) / self.file

    def missing(self):
        assert not self.shipped, f"{self.place} is gone"
        return f"{self.place} is not there, and its licence does not let us ship it"

    def specification(self):
        return self.read(self.place)


def open_api(path, base=None):
    return lambda file: OpenApi(file, path, base)


JUDGES = {
    "ses": Judge(AwsModel, "ses/specification.json"),
    "sendgrid": Judge(open_api("/v3/mail/send"), "sendgrid/specification.json"),
    # `v:` is for variables of any name; the specification shows one as an example.
    "mailgun": Judge(open_api("/v3/{domain_name}/messages.mime"), "mailgun/specification.json",
                     more=("v:.+",)),
    "brevo": Judge(open_api("/smtp/email"), "brevo/specification.json"),
    "resend": Judge(open_api("/emails"), "resend/specification.json"),
    "sparkpost": Judge(Blueprint, "sparkpost"),
    "elasticemail": Judge(open_api("/emails/transactional"), "elastic-email-v4.yaml", shipped=False),
    # Older than Metadata.
    "postmark": Judge(open_api("/email"), "postmark-server.yaml", shipped=False, more=("Metadata",)),
    # The document is for version 1.4; 1.0 is what clients use, and its request is the same.
    "mandrill": Judge(open_api("/messages/send-raw", "https://mandrillapp.com/api/1.0"),
                      "mailchimp-transactional.openapi.json", shipped=False),
    "smtp2go": Judge(open_api("/email/mime"), "smtp2go-v3.yaml", shipped=False),
}  # fmt: skip
UNPUBLISHED = {"mailersend", "mailjet", "mailup"}  # they have no specification for us

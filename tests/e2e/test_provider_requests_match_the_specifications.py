"""What each provider's API is sent, held against the provider's own specification."""

import base64
import copy
import json

import pytest
from harness import api_requests, providers, specifications
from harness.specifications import JUDGES


@pytest.fixture(params=JUDGES)
def kind(request):
    return request.param


@pytest.fixture
def specification(kind):
    judge = JUDGES[kind]
    if not judge.place.exists():
        pytest.skip(judge.missing())
    return judge.specification()


def test_every_provider_has_a_judge_or_is_known_to_have_none():
    assert JUDGES.keys() | specifications.UNPUBLISHED == providers.PROVIDERS.keys()


@pytest.mark.parametrize("shape", api_requests.SHAPES)
def test_a_request_is_as_its_provider_specifies(kind, specification, shape, tmp_path):
    requests = api_requests.of(kind, shape, tmp_path)
    assert requests
    for request in requests:
        assert "cannot" not in request, request
        found = specifications.problems(specification, request, JUDGES[kind].more)
        assert not found, "\n".join(found)


def test_a_judge_finds_what_is_wrong(kind, specification, tmp_path):
    """Whoever finds nothing in a good request must find something in each of these."""
    good = api_requests.of(kind, "full", tmp_path)[0]
    for name, request in spoilt(good):
        assert specifications.problems(specification, request, JUDGES[kind].more), name


def spoilt(good):
    def with_body(change):
        request = copy.deepcopy(good)
        octets = base64.b64decode(request["body"])
        request["body"] = base64.b64encode(change(octets)).decode()
        return request

    if good["headers"].get("Content-Type") != "application/json":
        yield "a name", with_body(lambda octets: octets.replace(b'name="to"', b'name="too"'))
        yield "a value", with_body(lambda octets: octets.replace(b"\r\n\r\nno\r\n", b"\r\n\r\noff\r\n"))
    else:
        body = json.loads(base64.b64decode(good["body"]))
        for path in paths_of(body):
            changed = copy.deepcopy(body)
            holder = changed
            for step in path[:-1]:
                holder = holder[step]
            # The names of header fields and of our own data are free.
            if {"headers", "Headers", "metadata", "Metadata", "custom_args"} & set(path[:-1]):
                continue
            holder[path[-1] + "x"] = holder.pop(path[-1])
            yield f"the name {path}", with_body(lambda _, text=json.dumps(changed): text.encode())
    yield "the path", {**good, "url": good["url"] + "s"}
    yield "the method", {**good, "method": "PUT"}


def paths_of(value, path=()):
    """The ways to all members of objects."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield (*path, key)
            yield from paths_of(one, (*path, key))
    elif isinstance(value, list) and value:
        yield from paths_of(value[0], (*path, 0))

"""What a sync trigger answers for what its job returned."""

import pytest

from runner.special_results import BadResult, response_of


def answered(result, success=True):
    response = response_of(success, result)
    return response.status_code, response.headers.get("content-type"), response.body


def test_without_special_keys_the_whole_result_is_json():
    assert answered({"a": 1}) == (200, "application/json", b'{"a": 1}')
    assert answered({"error": {}}, success=False) == (422, "application/json", b'{"error": {}}')


def test_special_keys_without_a_result_answer_nothing():
    assert answered({"windmill_headers": {"X-A": "1"}})[0::2] == (204, b"")


def test_a_failed_job_may_answer_with_special_keys_too():
    result = {"windmill_content_type": "text/plain", "result": "no", "error": {}}

    assert answered(result, success=False) == (422, "text/plain", b"no")


def test_base64_is_decoded():
    result = {"wm_content_transfer_encoding": "base64", "result": "AAH/"}

    assert answered(result) == (200, "application/octet-stream", b"\x00\x01\xff")


def test_a_lone_surrogate_in_a_result_is_answered_all_the_same():
    assert answered("\ud800") == (200, "application/json", b'"\\ud800"')
    result = {"windmill_content_type": "text/plain", "result": "\ud800"}

    assert answered(result) == (200, "text/plain", b"?")


@pytest.mark.parametrize(
    "keys",
    [
        {"windmill_status_code": 99},
        {"windmill_status_code": 1000},
        {"windmill_status_code": "200"},
        {"windmill_headers": {"X-A": "1\r\nX-B: 2"}},
        {"windmill_headers": {"X A": "1"}},
        {"windmill_headers": {"Content-Length": "9"}},
        {"windmill_content_type": "text/plain\r\n"},
        {"windmill_content_transfer_encoding": "base64"},
    ],
)
def test_what_http_cannot_say_is_a_bad_result(keys):
    with pytest.raises(BadResult):
        response_of(True, {**keys, "result": "not base64!"})

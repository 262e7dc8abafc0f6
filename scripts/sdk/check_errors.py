"""Refusals and faults: which exception the SDK raises, and what it tries again."""

import unittest

import anthropic
from stage import AGENT, API_KEY, ENVIRONMENT, IS_OLD, Check

ONE = "GET /v1/sessions/{session_id}"
LIST = "GET /v1/sessions"


class Errors(Check):
    def raised(self, call):
        """What a call raises that is made once only."""
        with self.assertRaises(anthropic.APIStatusError) as raised:
            call(self.client.with_options(max_retries=0).beta)
        return raised.exception

    def test_each_refusal_is_its_exception_with_type_and_request_id(self):
        archived = self.simulator.play("archived")["id"]
        message = {"type": "user.message", "content": [{"type": "text", "text": "Hello."}]}
        refusals = {
            anthropic.BadRequestError: (lambda beta: beta.sessions.list(page="page_garbage"), "invalid_request_error"),
            anthropic.NotFoundError: (lambda beta: beta.vaults.retrieve("vlt_none"), "not_found_error"),
            anthropic.ConflictError: (lambda beta: beta.sessions.events.send(archived, events=[message]), "conflict_error"),
        }
        for exception, (call, kind) in refusals.items():
            with self.subTest(exception.__name__):
                error = self.raised(call)
                self.assertIs(type(error), exception)
                self.assertEqual(error.body["error"]["type"], kind)
                self.assertTrue(error.request_id.startswith("req_"))
                self.assertEqual(error.body["request_id"], error.request_id)

    @unittest.skipIf(IS_OLD, "codes came with the next generation")
    def test_a_cause_that_has_a_code_tells_it(self):
        environment = self.simulator.play("environment.archived")["id"]
        error = self.raised(lambda beta: beta.environments.update(environment, name="New"))
        self.assertEqual(error.error_code, "environment_archived")
        fault = {"path": "/v1/sessions", "status": 400, "error_code": "invalid_metadata"}
        self.simulator.control("PUT", "faults", [fault])
        self.assertEqual(self.raised(lambda beta: beta.sessions.list()).error_code, "invalid_metadata")

    def test_a_wrong_key_is_an_authentication_error_and_not_tried_again(self):
        with self.assertRaises(anthropic.AuthenticationError):
            self.make_client(api_key="sk-ant-api-wrong").beta.sessions.list()
        self.assertEqual(self.simulator.calls(LIST), 1)

    def test_each_fault_is_its_exception(self):
        faults = {
            402: "PaymentRequiredError",
            403: "PermissionDeniedError",
            413: "ContentTooLargeError",
            429: "RateLimitError",
            500: "InternalServerError",
            503: "ServiceUnavailableError",
            504: "GatewayTimeoutError",
            529: "OverloadedError",
        }
        for status, name in faults.items():
            # The generation before has fewer names, and not all of them are public.
            names = {name, "APIStatusError", "InternalServerError", "RequestTooLargeError", "DeadlineExceededError"}
            with self.subTest(status):
                self.simulator.control("PUT", "faults", [{"path": "/v1/sessions", "status": status}])
                error = self.raised(lambda beta: beta.sessions.list())
                self.assertEqual(error.status_code, status)
                self.assertIn(type(error).__name__, names)

    def test_a_429_is_tried_again_when_its_time_has_come(self):
        self.simulator.control("PUT", "faults", [{"path": "/v1/sessions", "status": 429, "retry_after": 1, "times": 1}])
        self.assertEqual(list(self.client.beta.sessions.list()), [])
        self.assertEqual(self.simulator.calls(LIST), 2)

    def test_the_limit_per_minute_is_a_429_with_a_time(self):
        self.simulator.control("PUT", "limit", {"requests_per_minute": 1, "window_ms": 1000})
        for _ in range(2):
            self.client.beta.sessions.list()
        state = self.simulator.control("GET", "state")
        self.assertGreaterEqual(state["calls"]["by_status"]["200"], 2)

    def test_500_twice_is_tried_again_and_then_fine(self):
        session = self.simulator.play("created")["id"]
        self.simulator.control("PUT", "faults", [{"path": f"/v1/sessions/{session}", "status": 500, "times": 2}])
        self.assertEqual(self.client.beta.sessions.retrieve(session).id, session)
        self.assertEqual(self.simulator.calls(ONE), 3)

    def test_400_and_404_are_not_tried_again(self):
        with self.assertRaises(anthropic.BadRequestError):
            self.client.beta.sessions.list(page="page_garbage")
        with self.assertRaises(anthropic.NotFoundError):
            self.client.beta.sessions.retrieve("sesn_none")
        self.assertEqual((self.simulator.calls(LIST), self.simulator.calls(ONE)), (1, 1))

    def test_the_server_can_forbid_to_try_again(self):
        self.simulator.control("PUT", "faults", [{"path": "/v1/sessions", "status": 500, "should_retry": False}])
        with self.assertRaises(anthropic.InternalServerError):
            self.client.beta.sessions.list()
        self.assertEqual(self.simulator.calls(LIST), 1)

    def test_a_post_that_was_applied_and_answered_500_happens_twice(self):
        # The SDK sends no idempotency header, which is why a careful client looks before it posts again.
        fault = {"path": "/v1/sessions", "method": "POST", "status": 500, "times": 1, "phase": "after"}
        self.simulator.control("PUT", "faults", [fault])
        self.client.beta.sessions.create(agent=AGENT, environment_id=ENVIRONMENT)
        self.assertEqual(len(list(self.client.beta.sessions.list())), 2)

    def test_a_cut_answer_is_a_connection_error_in_the_end(self):
        self.simulator.control("PUT", "faults", [{"path": "/v1/sessions", "body": "cut"}])
        with self.assertRaises(Exception) as raised:
            self.make_client(api_key=API_KEY, max_retries=0).beta.sessions.list()
        self.assertNotIsInstance(raised.exception, anthropic.APIStatusError)

    def test_a_list_without_its_last_cursor_ends_all_the_same(self):
        self.simulator.play("created")
        self.simulator.control("PUT", "faults", [{"path": "/v1/sessions", "body": "no_next_page"}])
        self.assertEqual(len(list(self.client.beta.sessions.list())), 1)

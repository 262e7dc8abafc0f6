"""What the SDK sends with every call, and that the simulator insists on it."""

from stage import API_KEY, IS_OLD, Check

AGENTS_BETA = "managed-agents-2026-04-01"
MEMORY_BETA = "agent-memory-2026-07-22"


class Headers(Check):
    def sent(self, calls, *arguments):
        return calls.with_raw_response.list(*arguments).http_request

    def test_key_version_and_query_are_those_of_the_generation(self):
        request = self.sent(self.client.beta.sessions)
        expected = {"x-api-key": API_KEY} if IS_OLD else {"authorization": f"Bearer {API_KEY}"}
        expected["anthropic-version"] = "2023-06-01" if IS_OLD else "2026-10-21"
        for name, value in expected.items():
            self.assertEqual(request.headers.get(name), value)
        both = request.headers.get("x-api-key") is not None and request.headers.get("authorization") is not None
        self.assertFalse(both)
        self.assertEqual("beta=true" in str(request.url), IS_OLD)

    def test_each_collection_is_behind_its_beta(self):
        beta = self.client.beta
        for calls in [beta.sessions, beta.agents, beta.environments, beta.vaults, beta.deployments, beta.deployment_runs]:
            self.assertEqual(self.sent(calls).headers["anthropic-beta"], AGENTS_BETA)
        self.assertEqual(self.sent(beta.memory_stores).headers["anthropic-beta"], MEMORY_BETA)

    def test_answers_say_which_request_and_organization_they_belong_to(self):
        headers = self.client.beta.sessions.with_raw_response.list().headers
        self.assertTrue(headers["request-id"].startswith("req_"))
        self.assertTrue(headers["anthropic-organization-id"].startswith("org_"))

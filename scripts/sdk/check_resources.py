"""Every resource: create, retrieve, list with paging by the SDK, update, archive, delete."""

from stage import AGENT, ENVIRONMENT, Check

TOKEN = {"type": "static_bearer", "token": "hush", "mcp_server_url": "https://mcp.example/mcp"}
OAUTH = {
    "type": "mcp_oauth",
    "access_token": "hush",
    "mcp_server_url": "https://mcp.example/mcp",
    "refresh": {
        "client_id": "client-1",
        "refresh_token": "hush",
        "token_endpoint": "https://example.com/token",
        "token_endpoint_auth": {"type": "none"},
    },
}
MESSAGE = {"type": "user.message", "content": [{"type": "text", "text": "Write the report."}]}


class Resources(Check):
    def kinds(self):
        """Each kind: the SDK's resource, arguments that all calls take, arguments to create with, and to update with."""
        beta = self.client.beta
        vault = beta.vaults.create(display_name="The one with credentials").id
        deployment = {"agent": AGENT, "environment_id": ENVIRONMENT, "initial_events": [MESSAGE], "name": "Nightly"}
        title, name, shown = {"title": "New"}, {"name": "New"}, {"display_name": "New"}
        return {
            "session": (beta.sessions, {}, {"agent": AGENT, "environment_id": ENVIRONMENT}, title),
            "agent": (beta.agents, {}, {"name": "Desk", "model": "claude-opus-5"}, {**name, "version": 1}),
            "environment": (beta.environments, {}, {"name": "python"}, name),
            "vault_credential": (beta.vaults.credentials, {"vault_id": vault}, {"auth": TOKEN}, shown),
            "vault": (beta.vaults, {}, {"display_name": "Customer"}, shown),
            "deployment": (beta.deployments, {}, deployment, name),
            "memory_store": (beta.memory_stores, {}, {"name": "Preferences"}, name),
        }

    def test_every_kind_lives_from_create_to_its_end(self):
        for kind, (calls, where, given, changes) in self.kinds().items():
            with self.subTest(kind):
                created = self.assert_fits(calls.with_raw_response.create(**where, **given))
                self.assertEqual(created.type, kind)
                retrieved = self.assert_fits(calls.with_raw_response.retrieve(created.id, **where))
                self.assertEqual(retrieved, created)
                updated = self.assert_fits(calls.with_raw_response.update(created.id, **where, **changes))
                name = next(name for name in changes if name != "version")
                self.assertEqual(getattr(updated, name), "New")
                archived = self.assert_fits(calls.with_raw_response.archive(created.id, **where))
                self.assertIsNotNone(archived.archived_at)
                if hasattr(calls, "delete"):
                    deleted = self.assert_fits(calls.with_raw_response.delete(created.id, **where))
                    self.assertEqual((deleted.id, deleted.type), (created.id, f"{kind}_deleted"))

    def test_the_sdk_pages_through_every_list(self):
        for kind, (calls, where, given, _) in self.kinds().items():
            with self.subTest(kind):
                made = [calls.create(**where, **given).id for _ in range(5)]
                calls.archive(made.pop(), **where)
                first = self.assert_fits(calls.with_raw_response.list(**where, limit=2))
                self.assertEqual(len(first.data), 2)
                listed = [item.id for item in calls.list(**where, limit=2)]
                self.assertEqual(len(listed), len(set(listed)), "nothing twice")
                self.assertLessEqual(set(made), set(listed))
                everything = [item.id for item in calls.list(**where, limit=2, include_archived=True)]
                self.assertEqual(len(everything), len(listed) + 1)

    def test_runs_are_listed_and_retrieved(self):
        run = self.simulator.play("deployment_run.failed")["resource"]
        self.client.beta.deployments.unpause(run["deployment_id"])
        by_hand = self.assert_fits(self.client.beta.deployments.with_raw_response.run(run["deployment_id"]))
        self.assertEqual(by_hand.trigger_context.type, "manual")
        runs = self.client.beta.deployment_runs
        failed = self.assert_fits(runs.with_raw_response.retrieve(run["id"]))
        self.assertEqual(failed.error.type, "environment_archived_error")
        self.assertEqual({found.id for found in runs.list(limit=1)}, {run["id"], by_hand.id})
        self.assertEqual([found.id for found in runs.list(has_error=True)], [run["id"]])
        self.assertEqual([found.id for found in runs.list(trigger_type="manual")], [by_hand.id])
        session = self.client.beta.sessions.retrieve(by_hand.session_id)
        self.assertEqual([found.id for found in self.client.beta.sessions.list(deployment_id=run["deployment_id"])], [session.id])

    def test_deployments_pause_and_go_on(self):
        deployments = self.client.beta.deployments
        made = self.simulator.play("deployment.created")["id"]
        paused = self.assert_fits(deployments.with_raw_response.pause(made))
        self.assertEqual((paused.status, paused.paused_reason.type), ("paused", "manual"))
        self.assertEqual(self.assert_fits(deployments.with_raw_response.unpause(made)).status, "active")
        self.simulator.play("deployment_run.failed", resource=made)
        paused = self.assert_fits(deployments.with_raw_response.retrieve(made))
        self.assertEqual(paused.paused_reason.error.type, "environment_archived_error")

    def test_agents_keep_their_versions(self):
        agents = self.client.beta.agents
        agent = agents.create(name="One", model="claude-opus-5")
        agents.update(agent.id, version=1, name="Two")
        self.assertEqual(agents.retrieve(agent.id, version=1).name, "One")
        self.assertEqual([found.version for found in agents.versions.list(agent.id, limit=1)], [2, 1])

    def test_credentials_can_be_validated(self):
        vaults = self.client.beta.vaults
        vault = vaults.create(display_name="Customer").id
        credential = self.assert_fits(vaults.credentials.with_raw_response.create(vault_id=vault, auth=OAUTH))
        validate = vaults.credentials.with_raw_response.mcp_oauth_validate
        self.assertEqual(self.assert_fits(validate(credential.id, vault_id=vault)).status, "valid")
        self.simulator.play("vault_credential.refresh_failed", resource=credential.id)
        found = self.assert_fits(validate(credential.id, vault_id=vault))
        self.assertEqual((found.status, found.refresh.status), ("invalid", "failed"))

    def test_threads_are_listed_retrieved_and_archived(self):
        session = self.simulator.play("thread_idled")["id"]
        threads = self.client.beta.sessions.threads
        primary, child = threads.list(session, limit=1)
        self.assertIsNone(primary.parent_thread_id)
        shown = self.assert_fits(threads.with_raw_response.retrieve(child.id, session_id=session))
        self.assertEqual(shown.parent_thread_id, primary.id)
        kinds = [event.type for event in threads.events.list(child.id, session_id=session, limit=1)]
        self.assertEqual(kinds[0], "session.thread_created")
        archived = self.assert_fits(threads.with_raw_response.archive(child.id, session_id=session))
        self.assertEqual(archived.status, "terminated")

"""Events of sessions: list, send, and the answers to tool uses."""

from anthropic import BadRequestError

from stage import IS_OLD, Check


class Events(Check):
    def ask(self, *tools):
        """A session that waits for answers; its id and those of the tool uses."""
        session = self.simulator.play("requires_action", tools=list(tools))["id"]
        idle = self.client.beta.sessions.events.list(session, types=["session.status_idle"], order="desc", limit=1)
        return session, next(iter(idle)).stop_reason.event_ids

    def test_events_are_listed_page_by_page_in_both_orders(self):
        session = self.simulator.play("turn_end")["id"]
        events = self.client.beta.sessions.events
        self.assert_fits(events.with_raw_response.list(session))
        forth = [event.id for event in events.list(session, limit=2)]
        back = [event.id for event in events.list(session, limit=3, order="desc")]
        self.assertGreater(len(forth), 5)
        self.assertEqual(forth, back[::-1])
        kinds = [event.type for event in events.list(session, types=["agent.message", "session.usage"], limit=1)]
        self.assertEqual(kinds, ["agent.message", "session.usage"])

    def test_every_kind_of_event_fits_the_types_of_the_sdk(self):
        scenarios = ["outcome", "thread_lifecycle", "error", "retries_exhausted", "budget_reached", "terminated"]
        for scenario in scenarios if IS_OLD else [*scenarios, "refusal"]:
            with self.subTest(scenario):
                session = self.simulator.play(scenario)["id"]
                self.assert_fits(self.client.beta.sessions.events.with_raw_response.list(session))
                self.assert_fits(self.client.beta.sessions.with_raw_response.retrieve(session))

    def test_a_message_starts_a_turn(self):
        session = self.simulator.play("created")["id"]
        message = {"type": "user.message", "content": [{"type": "text", "text": "Hello."}]}
        sent = self.client.beta.sessions.events.with_raw_response.send(session, events=[message])
        echo = self.assert_fits(sent).data[0]
        self.assertEqual((echo.type, echo.processed_at), ("user.message", None))
        self.assertEqual(self.client.beta.sessions.retrieve(session).status, "running")

    def test_results_and_confirmations_answer_tool_uses_once(self):
        approval = {"type": "agent.tool_use", "name": "bash", "input": {"command": "ls"}}
        remote = {"type": "agent.mcp_tool_use", "name": "search", "input": {}}
        session, (custom, bash, search) = self.ask({"name": "issue_refund"}, approval, remote)
        send = self.client.beta.sessions.events.with_raw_response.send
        result = {
            "type": "user.custom_tool_result",
            "custom_tool_use_id": custom,
            "content": [{"type": "text", "text": "refund 8841 issued"}],
        }
        allow = {"type": "user.tool_confirmation", "tool_use_id": bash, "result": "allow"}
        deny = {"type": "user.tool_confirmation", "tool_use_id": search, "result": "deny", "deny_message": "No."}
        echoes = self.assert_fits(send(session, events=[result, allow])).data
        self.assertEqual([echo.type for echo in echoes], ["user.custom_tool_result", "user.tool_confirmation"])
        self.assertEqual(self.client.beta.sessions.retrieve(session).status, "idle", "one is left")
        self.assert_fits(send(session, events=[deny]))
        self.assertEqual(self.client.beta.sessions.retrieve(session).status, "running")
        with self.assertRaises(BadRequestError) as refused:
            send(session, events=[result])
        self.assertIn("answered already", refused.exception.message)
        rows = self.simulator.control("GET", "replies")
        self.assertEqual([(row["accepted"], row["refused"]) for row in rows], [(1, 1), (1, 0), (1, 0)])

    def test_a_message_is_refused_while_answers_are_missing(self):
        session, _ = self.ask({"name": "issue_refund"})
        message = {"type": "user.message", "content": [{"type": "text", "text": "Hello."}]}
        with self.assertRaises(BadRequestError):
            self.client.beta.sessions.events.send(session, events=[message])

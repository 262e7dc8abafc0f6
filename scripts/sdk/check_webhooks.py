"""Webhooks that really were delivered, unwrapped by the SDK."""

from standardwebhooks import WebhookVerificationError

from event_types import types_of_sdk
from stage import Check, Receiver


class Webhooks(Check):
    def setUp(self):
        super().setUp()
        self.receiver = Receiver()
        self.addCleanup(self.receiver.stop)
        self.simulator.control("PUT", "endpoint", {"url": self.receiver.url})

    def unwrap(self, delivery):
        body, headers = delivery
        return self.client.beta.webhooks.unwrap(body, headers=headers)

    def test_every_type_that_the_sdk_knows_is_delivered_and_unwrapped_as_such(self):
        for name, data in sorted(types_of_sdk().items()):
            with self.subTest(name):
                played = self.simulator.play(name)
                deliveries = self.receiver.all()
                self.assertEqual(len(deliveries), len(played["webhooks"]))
                events = {event.data.type: (event, body) for event, (body, _) in ((self.unwrap(one), one) for one in deliveries)}
                event, body = events[name]
                self.assertIs(type(event.data), data)
                self.assertEqual(event.data.id, played["id"])
                type(event).model_validate_json(body)

    def test_rotation_and_asymmetric_items_are_no_obstacle(self):
        for signature in ["rotating", "with_v1a"]:
            with self.subTest(signature):
                self.simulator.play("created", options={"signature": signature})
                self.assertEqual(self.unwrap(self.receiver.next()).type, "event")

    def test_a_bad_or_old_signature_raises(self):
        bad = [{"signature": mode} for mode in ["wrong_secret", "garbage", "missing"]]
        for options in [*bad, {"stale_seconds": 301}, {"stale_seconds": -330}]:
            with self.subTest(options):
                self.simulator.play("created", options={**options, "attempts": 1})
                delivery = self.receiver.next()
                # A list item without a comma makes the reference library stumble before it can refuse.
                with self.assertRaises((WebhookVerificationError, ValueError)):
                    self.unwrap(delivery)

    def test_a_changed_body_raises(self):
        self.simulator.play("created")
        body, headers = self.receiver.next()
        with self.assertRaises(WebhookVerificationError):
            self.unwrap((body.replace("session", "sessioN", 1), headers))

    def test_a_duplicate_has_the_same_id_and_a_valid_signature(self):
        self.simulator.play("created", options={"duplicates": 1})
        first, second = self.unwrap(self.receiver.next()), self.unwrap(self.receiver.next())
        self.assertEqual(first.id, second.id)

//! Child threads: opened, waiting, ended.

use serde_json::{Value, json};

use crate::world::{
    refusal::Refusal,
    session::Session,
    stamp::{Notice, Stamp},
    stop_reason::StopReason,
};

impl Session {
    /// The coordinator opens a child thread, which starts running. Answers its id.
    pub(crate) fn open_child(&mut self, stamp: &mut Stamp<'_>) -> (String, Notice) {
        let id = stamp.ids.resource("sthr");
        let members = json!({ "session_thread_id": id, "agent_name": "Reviewer" });
        self.append("session.thread_created", members.clone(), stamp);
        self.append("session.thread_status_running", members, stamp);
        let notice = self.thread_notice("session.thread_created", &id, stamp);
        (id, notice)
    }

    /// A child waits for input, which is also what a finished one does.
    pub(crate) fn idle_child(&mut self, id: &str, stamp: &mut Stamp<'_>) -> Result<Notice, Refusal> {
        let mut members = self.child_members(id)?;
        if let Some(members) = members.as_object_mut() {
            members.insert("stop_reason".into(), StopReason::EndTurn.to_value());
        }
        self.append("session.thread_status_idle", members, stamp);
        Ok(self.thread_notice("session.thread_idled", id, stamp))
    }

    /// A child ends; no result is accepted for its tool uses any more.
    pub(crate) fn end_child(&mut self, id: &str, stamp: &mut Stamp<'_>) -> Result<Notice, Refusal> {
        let members = self.child_members(id)?;
        self.append("session.thread_status_terminated", members, stamp);
        Ok(self.thread_notice("session.thread_terminated", id, stamp))
    }

    /// Archives an idle child; doing it again is silent.
    pub(crate) fn archive_child(&mut self, id: &str, stamp: &mut Stamp<'_>) -> Result<Vec<Notice>, Refusal> {
        let thread = self.thread(id).ok_or(Refusal::NotFound { what: "thread" })?;
        if thread.is_archived() {
            return Ok(Vec::new());
        }
        if self.primary().is_some_and(|primary| primary.id() == id) {
            return Err(Refusal::invalid("the primary thread cannot be archived"));
        }
        let notices = match thread.status() {
            "terminated" => Vec::new(),
            "idle" => vec![self.end_child(id, stamp)?],
            status => {
                return Err(Refusal::invalid(format!(
                    "only an idle thread can be archived, this is {status}"
                )));
            }
        };
        let time = stamp.text();
        if let Some(thread) = self.thread_mut(id) {
            thread.set("archived_at", time, stamp.now);
        }
        Ok(notices)
    }

    /// The newest child that has not ended.
    pub(crate) fn newest_child(&self) -> Option<String> {
        let children = self.threads.iter().skip(1).rev();
        children.filter(|thread| thread.status() != "terminated").map(|thread| thread.id().to_owned()).next()
    }

    fn child_members(&self, id: &str) -> Result<Value, Refusal> {
        let thread = self.thread(id).ok_or(Refusal::NotFound { what: "thread" })?;
        Ok(json!({ "session_thread_id": id, "agent_name": thread.agent_name() }))
    }

    fn thread_notice(&self, kind: &str, id: &str, stamp: &Stamp<'_>) -> Notice {
        self.notice(kind, stamp).with("session_thread_id", id)
    }
}

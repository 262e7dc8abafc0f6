//! Tool uses that wait for an answer: what is asked, who answers, what was answered.
//!
//! Each belongs to an effect, 1:1. Whoever changes a review locks its effect first ([`lock_review`]), so that of several
//! people and programs who want to decide, one does. How a review stands is told by the function `review_status` of the
//! database and stored nowhere.

mod calls;
mod desk;
mod figures;
mod find;
mod keep;
mod row;
mod steps;

pub use calls::{begin_call, end_call, hand_over, mark_overdue};
pub use desk::{claim_review, lock_review, record_answer, release_review};
pub use figures::{ReviewFigures, resolve_overdue_alerts, review_figures};
pub use find::{ReviewFilter, find_review, find_reviews, list_reviews};
pub use keep::{Closed, NewReview, close_review, drop_review, keep_reviews, unprepared_reviews};
pub use row::Review;
pub use steps::{ReviewStep, Step, note_step, steps_of};

//! What every store must do, run against each of them with the same words.

mod calls;
mod concurrent;
pub(crate) mod contest;
pub(crate) mod fixtures;
mod life;
mod log;
pub(crate) mod model;
mod ownership;
mod queue;
mod short;
mod threads;

use crate::store::Store;

/// Runs the whole suite; `fresh` makes an empty store for each check.
pub(crate) async fn check<S: Store>(fresh: impl AsyncFn() -> S) {
    threads::a_thread_is_read_back_whole(&fresh().await).await;
    threads::an_id_is_taken_once(&fresh().await).await;
    threads::the_newest_threads_come_first_and_are_bounded(&fresh().await).await;
    threads::the_first_preview_stays(&fresh().await).await;
    threads::a_thread_is_as_new_as_its_last_record(&fresh().await).await;
    threads::a_number_too_large_is_refused_before_anything_is_written(&fresh().await).await;

    log::records_are_read_back_in_order(&fresh().await).await;
    log::events_are_read_from_a_number_on(&fresh().await).await;
    log::a_hole_or_a_duplicate_is_refused(&fresh().await).await;
    log::an_append_is_kept_whole_or_not_at_all(&fresh().await).await;
    log::a_live_only_event_is_not_stored(&fresh().await).await;
    log::nothing_is_appended_to_a_thread_that_is_not_there(&fresh().await).await;
    log::threads_do_not_see_each_other(&fresh().await).await;

    calls::a_call_ends_once(&fresh().await).await;
    calls::a_call_is_stored_once_and_before_its_end(&fresh().await).await;
    calls::open_calls_come_in_the_order_they_were_asked_for(&fresh().await).await;
    calls::the_calls_of_a_turn_come_with_their_ends(&fresh().await).await;
    calls::threads_whose_last_event_ends_no_turn_are_unsettled(&fresh().await).await;

    ownership::an_owner_that_was_overtaken_is_fenced(&fresh().await).await;
    ownership::one_of_many_takes_a_thread_over(&fresh().await).await;
    ownership::a_thread_that_is_not_there_is_not_taken_over(&fresh().await).await;

    life::a_name_is_given_changed_and_taken_away(&fresh().await).await;
    life::a_thread_is_put_away_and_taken_back(&fresh().await).await;
    life::every_change_asks_for_the_epoch(&fresh().await).await;
    life::nothing_of_a_deleted_thread_is_left_but_its_id(&fresh().await).await;
    life::what_is_spent_adds_up_and_settings_are_replaced(&fresh().await).await;
    life::every_try_of_a_call_is_kept(&fresh().await).await;
    life::a_fork_begins_with_what_was_there(&fresh().await).await;
    life::a_fork_that_cannot_be_leaves_nothing(&fresh().await).await;
    life::threads_are_found_by_what_people_said(&fresh().await).await;
    life::a_list_is_read_page_by_page(&fresh().await).await;

    queue::turns_wait_in_the_order_in_which_they_were_put(&fresh().await).await;
    queue::a_turn_waits_or_has_begun_and_never_both(&fresh().await).await;
    queue::a_thread_with_a_turn_that_waits_is_unsettled(&fresh().await).await;
    queue::turns_that_wait_go_with_their_thread_and_not_into_its_forks(&fresh().await).await;

    short::an_outline_has_all_but_the_items_of_turns_before_the_last_that_has_any(&fresh().await).await;
    short::an_outline_has_the_items_of_a_turn_that_runs(&fresh().await).await;
    short::a_model_is_shown_what_follows_the_last_shortening(&fresh().await).await;

    concurrent::one_refused_append_fails_none_that_arrives_with_it(&fresh().await).await;
    concurrent::many_threads_append_at_once_without_a_hole(&fresh().await).await;
    concurrent::more_appends_than_the_queue_holds_wait_their_turn(&fresh().await).await;
    concurrent::a_closed_store_finishes_what_it_accepted_and_refuses_the_rest(&fresh().await).await;
}

//! The plan and its one item.

use super::fake::{Bench, Told};
use capstan_types::item::{ItemBody, ItemId, PlanStatus, PlanStep};
use serde_json::json;

fn list(status: PlanStatus) -> ItemBody {
    ItemBody::TodoList { steps: vec![PlanStep { step: "read".into(), status }] }
}

#[tokio::test(start_paused = true)]
async fn a_plan_is_one_item_until_its_turn_ends() {
    let bench = Bench::new();
    let result =
        bench.call("update_plan", json!({"plan": [{"step": "read", "status": "pending"}], "explanation": "first"})).await;
    assert_eq!(result.output, "Plan updated");
    bench.call("update_plan", json!({"plan": [{"step": "read", "status": "completed"}]})).await;
    bench.context.plan.complete(bench.context.items.as_ref()).await.unwrap();
    bench.context.plan.complete(bench.context.items.as_ref()).await.unwrap();
    let expected = [
        Told::Started(ItemId(0), list(PlanStatus::Pending)),
        Told::Updated(ItemId(0), list(PlanStatus::Completed)),
        Told::Completed(ItemId(0), list(PlanStatus::Completed)),
    ];
    assert_eq!(bench.items.told(), expected);
    bench.call("update_plan", json!({"plan": [{"step": "read", "status": "pending"}]})).await;
    assert_eq!(bench.items.told().last(), Some(&Told::Started(ItemId(1), list(PlanStatus::Pending))), "a new turn, a new item");
}

#[tokio::test(start_paused = true)]
async fn a_status_that_is_none_is_refused_with_the_ones_there_are() {
    let bench = Bench::new();
    let result = bench.call("update_plan", json!({"plan": [{"step": "read", "status": "doing"}]})).await;
    assert!(
        result.output.contains("unknown variant `doing`, expected one of `pending`, `in_progress`, `completed`"),
        "{}",
        result.output
    );
    assert!(bench.context.plan.complete(bench.context.items.as_ref()).await.is_ok());
}

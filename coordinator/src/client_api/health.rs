//! Whether the coordinator serves, for whoever asks by `grpc.health.v1`.

use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

/// The names that health is asked for by: all of the server, and each service.
const NAMES: [&str; 4] = ["", "capstan.client.v1.Threads", "capstan.client.v1.Turns", "capstan.client.v1.Sessions"];

/// What is answered. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct CoordinatorHealth(HealthReporter);

impl CoordinatorHealth {
    /// It serves.
    pub(crate) async fn serving() -> Self {
        let health = Self(HealthReporter::new());
        health.report(ServingStatus::Serving).await;
        health
    }

    /// It stops.
    pub(crate) async fn stopping(&self) {
        self.report(ServingStatus::NotServing).await;
    }

    /// The service that answers.
    pub(crate) fn service(&self) -> HealthServer<HealthService> {
        HealthServer::new(HealthService::from_health_reporter(self.0.clone()))
    }

    async fn report(&self, status: ServingStatus) {
        for name in NAMES {
            self.0.set_service_status(name, status).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic::Request;
    use tonic_health::pb::HealthCheckRequest;
    use tonic_health::pb::health_server::Health as _;

    #[tokio::test]
    async fn whoever_asks_is_told_whether_it_serves() {
        let health = CoordinatorHealth::serving().await;
        let asked = async |name: &str| {
            let service = HealthService::from_health_reporter(health.0.clone());
            let request = Request::new(HealthCheckRequest { service: name.to_owned() });
            service.check(request).await.map(|answer| answer.into_inner().status())
        };
        use tonic_health::pb::health_check_response::ServingStatus::{NotServing, Serving};
        assert_eq!(asked("").await.unwrap(), Serving);
        health.stopping().await;
        assert_eq!(asked("capstan.client.v1.Turns").await.unwrap(), NotServing);
        assert_eq!(asked("nobody").await.unwrap_err().code(), tonic::Code::NotFound);
    }
}

//! Answers, observers and tests.

use std::fmt::Display;
use std::sync::Arc;
use std::time::SystemTime;

use super::Builder;
use crate::decisions::Decision;
use crate::driver::Clock;

/// Answers, observers and tests.
impl Builder {
    /// Answers with the statuses and the body of Auth0's FastAPI SDK: 400 for missing credentials and bad proofs, and the
    /// JSON as the member `detail`.
    ///
    /// ```
    /// use bearward::Guard;
    ///
    /// let builder = Guard::builder().compatible_answers();
    /// # let _ = builder;
    /// ```
    pub fn compatible_answers(mut self) -> Self {
        self.compatible_answers = true;
        self
    }

    /// Calls a function for each decision. It runs within the request, so it should be quick. If it panics, the request goes
    /// on.
    ///
    /// ```
    /// use bearward::Guard;
    ///
    /// let builder = Guard::builder().on_decision(|decision| {
    ///     if let Some(code) = decision.code {
    ///         println!("refused: {code}, after {:?}", decision.took);
    ///     }
    /// });
    /// # let _ = builder;
    /// ```
    pub fn on_decision(mut self, observer: impl Fn(&Decision<'_>) + Send + Sync + 'static) -> Self {
        self.observers.push(Box::new(observer));
        self
    }

    /// A clock in place of the system's, for tests and simulations.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    ///
    /// use bearward::Guard;
    ///
    /// let tomorrow = || SystemTime::now() + Duration::from_secs(24 * 60 * 60);
    /// let builder = Guard::builder().clock(tomorrow);
    /// # let _ = builder;
    /// ```
    pub fn clock(mut self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Clock::Of(Arc::new(now));
        self
    }

    /// What OpenAPI documents say of a scope.
    ///
    /// ```
    /// use bearward::Guard;
    ///
    /// let builder = Guard::builder().scope_description("read:messages", "Read your messages");
    /// # let _ = builder;
    /// ```
    pub fn scope_description(mut self, scope: impl Into<String>, description: impl Into<String>) -> Self {
        self.scope_descriptions.push((scope.into(), description.into()));
        self
    }

    pub(crate) fn problem(&mut self, problem: impl Display) {
        self.problems.push(problem.to_string());
    }
}

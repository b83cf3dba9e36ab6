//! One fetch per document, however many requests wait for it.
//!
//! A flight is a task of its own. A request that goes away takes nothing down. A flight whose runtime ends is lost, and
//! whoever waits for it starts another.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bearward_core::documents::DocumentNeeded;
use tokio::sync::watch;
use tokio::time::Instant;

/// The running flights. One lock, held for moments, and only while documents are fetched.
#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<Name, Flight>>);

/// Issuer and URL: what one issuer names is not another's.
type Name = (String, String);

/// A running fetch, for those who wait for it.
#[derive(Clone)]
pub(super) struct Flight {
    pub(super) began: Instant,
    /// `true` when the engine has the document, or knows that there is none. Closed before that: the flight is lost.
    pub(super) landed: watch::Receiver<bool>,
    past_caches: Arc<AtomicBool>,
}

/// The same flight, for the task that fetches.
pub(super) struct Pilot {
    flights: Arc<Flights>,
    name: Name,
    pub(super) began: Instant,
    past_caches: Arc<AtomicBool>,
    /// Dropped last: whoever waits finds the flight gone from the list.
    landing: watch::Sender<bool>,
}

/// A fetch to wait for; if it is a new one, also what its starter has to carry out.
pub(super) struct Boarded {
    pub(super) flight: Flight,
    pub(super) pilot: Option<Pilot>,
}

impl Flights {
    /// The running flight of this document, or a new one. One that has taken longer than `most` is on a runtime that
    /// stands still: it is replaced.
    pub(super) fn board(self: &Arc<Self>, needed: &DocumentNeeded, most: Duration) -> Boarded {
        let name = (needed.issuer().as_str().to_owned(), needed.url().to_owned());
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = running.get(&name)
            && flight.began.elapsed() <= most
            && flight.landed.has_changed().is_ok()
        {
            // If it still asks the shared cache, it then goes on to the issuer.
            flight.past_caches.fetch_or(needed.is_past_caches(), Ordering::Relaxed);
            return Boarded { flight: flight.clone(), pilot: None };
        }
        let (landing, landed) = watch::channel(false);
        let past_caches = Arc::new(AtomicBool::new(needed.is_past_caches()));
        let flight = Flight { began: Instant::now(), landed, past_caches: Arc::clone(&past_caches) };
        running.insert(name.clone(), flight.clone());
        let pilot = Pilot { flights: Arc::clone(self), name, began: flight.began, past_caches, landing };
        Boarded { flight, pilot: Some(pilot) }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

impl Pilot {
    /// Whether somebody needs a newer document than a cache can have.
    pub(super) fn is_past_caches(&self) -> bool {
        self.past_caches.load(Ordering::Relaxed)
    }

    /// Ends the flight. The engine was told before: those who wait ask it at once.
    pub(super) fn land(self) {
        self.leave();
        self.landing.send_replace(true);
    }

    fn leave(&self) {
        let mut running = self.flights.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A flight that took its place stays.
        if running.get(&self.name).is_some_and(|flight| Arc::ptr_eq(&flight.past_caches, &self.past_caches)) {
            running.remove(&self.name);
        }
    }
}

impl Drop for Pilot {
    /// Also when the task is dropped with its runtime, or panics.
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use bearward_core::UnixTime;
    use bearward_core::documents::Documents;
    use bearward_core::issuer::IssuerUrl;
    use bearward_core::jose::algorithm::{Algorithm, AlgorithmSet};

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn needed(host: &str) -> DocumentNeeded {
        let documents = Documents::new(AlgorithmSet::new(Algorithm::RS256, []), LONG, 10);
        documents.missing(&IssuerUrl::parse(host).unwrap(), UnixTime::EPOCH).unwrap()
    }

    #[test]
    fn all_board_one_flight_until_it_lands() {
        let flights = Arc::new(Flights::default());
        let document = needed("a.example");
        let first = flights.board(&document, LONG);
        let second = flights.board(&document, LONG);
        assert!(second.pilot.is_none() && flights.board(&needed("b.example"), LONG).pilot.is_some());
        first.pilot.unwrap().land();
        assert!(*first.flight.landed.borrow() && *second.flight.landed.borrow());
        assert!(flights.board(&document, LONG).pilot.is_some());
        assert_eq!(flights.len(), 0, "a flight that nobody flies is gone, too");
    }

    #[test]
    fn a_lost_flight_is_seen_and_replaced() {
        let flights = Arc::new(Flights::default());
        let document = needed("a.example");
        let Boarded { flight, pilot } = flights.board(&document, LONG);
        drop(pilot);
        assert!(flight.landed.has_changed().is_err() && !*flight.landed.borrow());
        assert!(flights.board(&document, LONG).pilot.is_some());
    }

    #[test]
    fn a_flight_that_stands_still_is_replaced_and_its_end_changes_nothing() {
        let flights = Arc::new(Flights::default());
        let document = needed("a.example");
        let old = flights.board(&document, LONG).pilot.unwrap();
        let new = flights.board(&document, Duration::ZERO);
        assert!(new.pilot.is_some());
        old.land();
        assert!(flights.board(&document, LONG).pilot.is_none(), "the new one still flies");
    }
}
